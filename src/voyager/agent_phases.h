#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "voyager/action.h"
#include "voyager/agent.h"
#include "voyager/agent_state.h"
#include "voyager/asker.h"
#include "voyager/calls.h"
#include "voyager/critic.h"
#include "voyager/curriculum.h"
#include "voyager/skill_library.h"
#include "voyager/task_history.h"

namespace caravel::voyager {

/// The phases of an agent's work, each a function of the state and of the record. What a phase finds out becomes the
/// state and the record's in one commit at its end; where it is broken off before that, it is done again from the
/// same, and its calls are answered from the record.
class AgentPhases {
 public:
  /// All of them must outlive it.
  AgentPhases(const AgentConfig& config, Environment& world, const Prompts& prompts, Calls& calls, RunStore& store,
              Watcher& watcher);

  /// The skills that the run starts with, read by the world; their vectors are the first phase's. Throws
  /// InvalidArgument: one of them is no code of this world. Interrupted.
  std::vector<SkillRow> starting_skills() const;

  /// What the record knows: at first, and where a run goes on.
  void load();
  /// Why there is nothing more to do.
  std::optional<Ending> ending() const;
  /// One phase.
  void advance();

 private:
  void import();
  void ask();
  void propose();
  void study();
  void write();
  void run_code();
  void judge();
  void learn();

  /// A goal's next task; false: the run has ended (`next` says how).
  bool next_sub_goal(const Situation& situation, AgentState& next, ProposedTask& task);
  /// Whether the goal itself is reached, and who says so; empty: not.
  std::string goal_reached(const Observation& now, bool is_list_done);

  /// The round that is over, or that is going on.
  std::optional<StepRow> step(int round) const { return store_.step(state_.iteration, round); }
  /// Behind a round that did not do the task: another, or the end of it.
  void go_to_next_round(AgentState& next) const;
  static void end_run(AgentState& next, Ending::Kind kind, std::string text);
  /// All that `write` writes, and the state.
  void commit(AgentState next, const std::function<void()>& write);

  const AgentConfig& config_;
  Environment& world_;
  Calls& calls_;
  RunStore& store_;
  Watcher& watcher_;
  Asker asker_;
  AgentState state_;
  TaskHistory history_;
  SkillLibrary library_;
  QuestionCache questions_;
  Curriculum curriculum_;
  Action action_;
  Critic critic_;
};

}  // namespace caravel::voyager
