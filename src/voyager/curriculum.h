#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "voyager/agent.h"
#include "voyager/asker.h"
#include "voyager/question_cache.h"
#include "voyager/task_history.h"

namespace caravel::voyager {

struct ProposedTask {
  std::string task;
  std::string reason;
};

/// What is known when a task is wanted.
struct Situation {
  int64_t iteration = 1;
  const Observation& now;
  const TaskHistory& history;
};

/// Sets tasks (section 2.1): each in reach of what the player is and has, and new.
class Curriculum {
 public:
  /// All of them must outlive it. questions: grows with what is answered.
  Curriculum(const AgentConfig& config, const WorldDescription& world, const Asker& asker, QuestionCache& questions)
      : config_(config), world_(world), asker_(asker), questions_(questions) {}

  /// Questions about the world as it is, with their answers, as text for propose(); empty before kQuestionsFrom tasks
  /// are done. What was not known before is added to `answered`.
  std::string ask(const Situation& situation, std::vector<QuestionRow>& answered) const;

  /// The next task: the first, one that follows from rules, one that failed before, or the model's.
  ProposedTask propose(const Situation& situation, const std::string& notes) const;

  /// How a task is done, in the model's words.
  std::string study(const std::string& task, int64_t iteration, std::vector<QuestionRow>& answered) const;

  /// A random one of the items that were not had yet; nothing: all were.
  std::optional<ProposedTask> draw_item(int64_t iteration, const std::vector<ItemRow>& had) const;

  /// The tasks that lead to the goal from here; an Unreadable after so many malformed answers.
  Readable<std::vector<std::string>> decompose(const std::string& goal, const Situation& situation) const;

 private:
  /// From what is known, or the model's. similar_is_same: by the question's vector, too.
  std::string answer(const std::string& question, int64_t iteration, bool similar_is_same,
                     std::vector<QuestionRow>& answered) const;
  std::optional<ProposedTask> by_rule(const Situation& situation) const;
  ProposedTask fallback(const Situation& situation, const std::string& why) const;
  Fillings standing(const Room& room, const Situation& situation) const;

  const AgentConfig& config_;
  const WorldDescription& world_;
  const Asker& asker_;
  QuestionCache& questions_;
};

/// A task about putting things away: what is learnt from it is of its place, and no skill.
bool is_housekeeping(std::string_view task);

}  // namespace caravel::voyager
