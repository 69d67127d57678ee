#pragma once

#include <string_view>
#include <variant>

#include "voyager/run_rows.h"

namespace caravel::voyager {

/// What happens while a voyage runs, in this order; what it points to is there until it was told of.
/// Before the first task: a skill that the run starts with is made a vector.
struct SkillImported {
  int64_t number, count;  // from 1; of all
};
struct TaskBegun {
  const IterationRow& row;
};
struct ModelAsked {
  Role role;
  std::string_view model;  // its name
};
/// Of the answer that comes in.
struct AnswerPiece {
  std::string_view text;
};
struct ModelAnswered {
  const CallRow& call;
};
struct CodeWritten {
  const StepRow& step;  // code, main, skills; nothing else yet
};
/// Before a task is proposed, and now and then while code runs.
struct WorldMoved {
  Environment& world;  // for observe() and map()
};
struct CodeEnded {
  const StepRow& step;  // not judged yet
  Environment& world;
};
struct CodeJudged {
  const StepRow& step;
};
struct TaskEnded {
  const IterationRow& row;
};
using Happening = std::variant<SkillImported, TaskBegun, ModelAsked, AnswerPiece, ModelAnswered, CodeWritten,
                               WorldMoved, CodeEnded, CodeJudged, TaskEnded>;

/// Who looks on while a voyage runs: a terminal, a log. On the agent's thread; quick.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on(const Happening& /*what*/) {}
};

}  // namespace caravel::voyager
