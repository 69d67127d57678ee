#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fields/json.h"
#include "voyager/environment.h"
#include "voyager/model.h"
#include "voyager/prompts.h"
#include "voyager/run_store.h"
#include "voyager/watcher.h"

namespace caravel::voyager {

/// How an agent goes about it; a run keeps it, and goes on by it.
struct AgentConfig {
  uint64_t seed = 1;               // of the world and of the agent's own draws
  int64_t iterations = 160;        // tasks, at most
  int rounds = 4;                  // of code for one task (section 2.3)
  int skills_shown = 5;            // top-k of retrieval (section 2.2)
  std::vector<std::string> tasks;  // the curriculum, where it is given
  std::string goal;                // what is decomposed into sub-goals instead
  int goal_attempts = 3;           // decompositions of a goal, after which it is given up
  std::vector<SkillRow> skills;    // of an earlier run, to start with: name, code and description
  int64_t prompt_bytes = 0;        // of a prompt, about at most: what helps least is left out; 0: no bound
  Json models = Json::object();    // how they were opened, for who goes on: kept as it is, RunStore::setup()["models"]
  // Without these parts, as the paper's ablations have it (section 3.4).
  bool skill_library = true;
  bool critic = true;              // without: the code's running to its end is success
  bool feedback = true;            // environment feedback and errors in the next round's prompt
  bool random_curriculum = false;  // a random item to obtain in place of a proposed task
};

/// As a run's record keeps it (RunStore::setup()["agent"]), but for the skills, which it has as rows (of iteration 0),
/// and `models`.
Json to_json(const AgentConfig& config);
/// Throws FormatError.
AgentConfig agent_config_from(const Json& json);

/// What ends a run before its tasks do; 0: nothing.
struct Budget {
  int64_t tokens = 0, calls = 0;  // of the whole run
  double minutes = 0, cost = 0;   // minutes: of this process's work

  bool operator==(const Budget&) const = default;
};

/// As a run's record keeps it (RunStore::setup()["budget"]): what bounds, by its name.
Json to_json(const Budget& budget);
/// null: nothing bounds. Throws FormatError.
Budget budget_from(const Json& json);

/// Why a run ended.
struct Ending {
  enum class Kind : uint8_t { kDone, kBudget, kGoalReached, kGoalGivenUp, kInterrupted };
  Kind kind = Kind::kDone;
  std::string text;            // in a sentence
  bool is_of_process = false;  // kBudget, and the same budget lets another process go on
};
/// "done", "budget", "goal_reached", "goal_given_up", "interrupted": what RunStore::ending() has as its kind.
std::string_view ending_name(Ending::Kind kind);

/// Voyager's loop (Wang et al., 2023, algorithm 1): a curriculum proposes a task, code is written and run in rounds
/// with feedback and critique, and what worked becomes a skill. All that it knows lies in `store`, written after every
/// step: a process that is killed at any moment is gone on from by another with the same store, which asks no model
/// twice what it answered, and does nothing twice in the world. One thread.
class Agent {
 public:
  /// A store that holds a run already: that is gone on with, and keeps `budget` from here on. All of them must outlive
  /// it. Throws InvalidArgument where that run was begun with another configuration, but for `iterations`, or in
  /// another world.
  Agent(const AgentConfig& config, const Budget& budget, Environment& world, const Models& models,
        const Prompts& prompts, RunStore& store, Watcher& watcher);
  ~Agent();

  /// To the end. Interrupted before it has begun, it leaves a store without a setup. Throws ModelError, IoError: what
  /// was done until then is kept. InvalidArgument where a recorded call was asked with another prompt, or a skill to
  /// start with is none of this world's: nothing is begun then.
  Ending run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace caravel::voyager
