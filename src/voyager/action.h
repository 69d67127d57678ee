#pragma once

#include <string>
#include <variant>
#include <vector>

#include "voyager/agent.h"
#include "voyager/asker.h"
#include "voyager/skill_library.h"

namespace caravel::voyager {

/// Code that can be run, and what is seen of it.
struct WrittenCode {
  std::string code;
  ParsedCode parsed;
};

/// What is known when code is to be written.
struct CodeWish {
  const std::string& task;
  const std::string& context;
  const Observation& now;
  const StepRow* last = nullptr;  // the round before; nullptr: there was none
};

/// Writes code for tasks, and finds the skills for it (sections 2.2 and 2.3).
class Action {
 public:
  /// All of them must outlive it.
  Action(const AgentConfig& config, Environment& world, const Asker& asker, const SkillLibrary& library)
      : config_(config), world_(world), asker_(asker), library_(library) {}

  /// The skills that are nearest to the task, what is known of it, and what was said in the last round.
  std::vector<const SkillRow*> skills_for(const CodeWish& wish) const;

  /// Code that the world can read and whose names are its own; else why not, as one who wrote it reads it, with the
  /// code in `refused`.
  std::variant<WrittenCode, CodeError> write(const CodeWish& wish, const std::vector<const SkillRow*>& skills,
                                             std::string& refused) const;

  /// What a skill does.
  std::string describe(const std::string& main, const std::string& code, const std::string& task) const;

 private:
  std::string primitives_text(const Room& room) const;
  std::string skills_text(const Room& room, const std::vector<const SkillRow*>& skills) const;
  std::variant<WrittenCode, CodeError> read(const ModelAnswer& answer, std::string& refused) const;
  std::variant<WrittenCode, CodeError> parse(const std::string& code) const;

  const AgentConfig& config_;
  Environment& world_;
  const Asker& asker_;
  const SkillLibrary& library_;
};

}  // namespace caravel::voyager
