#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fields/json.h"
#include "voyager/observation.h"

namespace caravel::voyager {

/// What is to be done next. Each phase ends with one transaction, which holds what it made and the state behind it.
enum class Phase : uint8_t {
  kImport,   // vectors of the skills that the run starts with
  kAsk,      // questions about the world, and their answers
  kPropose,  // the task
  kStudy,    // how it is done
  kWrite,    // code for it
  kRun,      // in the world
  kJudge,    // whether it did the task
  kLearn,    // the skill, and the end of the task
  kEnded,    // the run has no more tasks
};

/// All that an agent knows beside the rows of its record: a value.
struct AgentState {
  Phase phase = Phase::kAsk;
  int64_t calls = 0;      // Calls::done() when it was written
  int64_t iteration = 1;  // its number
  int round = 1;
  std::string notes;                  // questions with their answers, for the proposal
  std::string task, context, reason;  // of this iteration
  // A goal's.
  int attempt = 0;                             // decompositions
  std::vector<std::string> sub_goals;          // that are left
  std::string failed_at;                       // the sub-goal that failed last; empty: none since the decomposition
  std::optional<Observation> goal_start = {};  // when the goal was set
  std::string ending, ending_kind;             // of kEnded
};

Json to_json(const AgentState& state);
/// Throws FormatError.
AgentState agent_state_from(const Json& json);

}  // namespace caravel::voyager
