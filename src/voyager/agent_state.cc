#include "voyager/agent_state.h"

#include <array>
#include <string_view>

#include "base/error.h"

namespace caravel::voyager {
namespace {

constexpr std::array<std::string_view, 9> kPhases = {"import", "ask",   "propose", "study", "write",
                                                     "run",    "judge", "learn",   "ended"};

Phase phase_named(const std::string& name) {
  for (size_t i = 0; i < kPhases.size(); ++i)
    if (kPhases[i] == name) return static_cast<Phase>(i);
  throw fail<FormatError>("the record's state is in phase '{}', which is unknown: another version of Caravel wrote it",
                          name);
}

}  // namespace

Json to_json(const AgentState& state) {
  return {{"phase", kPhases[static_cast<size_t>(state.phase)]},
          {"calls", state.calls},
          {"iteration", state.iteration},
          {"round", state.round},
          {"notes", state.notes},
          {"task", state.task},
          {"context", state.context},
          {"reason", state.reason},
          {"attempt", state.attempt},
          {"sub_goals", state.sub_goals},
          {"failed_at", state.failed_at},
          {"goal_start", state.goal_start ? to_json(*state.goal_start) : Json(nullptr)},
          {"ending", state.ending},
          {"ending_kind", state.ending_kind}};
}

AgentState agent_state_from(const Json& json) {
  try {
    AgentState state;
    state.phase = phase_named(json.at("phase").get<std::string>());
    state.calls = json.at("calls").get<int64_t>();
    state.iteration = json.at("iteration").get<int64_t>();
    state.round = json.at("round").get<int>();
    state.notes = json.at("notes").get<std::string>();
    state.task = json.at("task").get<std::string>();
    state.context = json.at("context").get<std::string>();
    state.reason = json.at("reason").get<std::string>();
    state.attempt = json.at("attempt").get<int>();
    state.sub_goals = json.at("sub_goals").get<std::vector<std::string>>();
    state.failed_at = json.at("failed_at").get<std::string>();
    if (!json.at("goal_start").is_null()) state.goal_start = observation_from(json.at("goal_start"));
    state.ending = json.at("ending").get<std::string>();
    state.ending_kind = json.at("ending_kind").get<std::string>();
    return state;
  } catch (const Json::exception& error) {
    throw fail<FormatError>("the record's state cannot be read ({}): another version of Caravel wrote it",
                            error.what());
  }
}

}  // namespace caravel::voyager
