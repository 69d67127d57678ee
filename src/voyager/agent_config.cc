#include <array>

#include "base/error.h"
#include "voyager/agent.h"

namespace caravel::voyager {

std::string_view ending_name(Ending::Kind kind) {
  constexpr std::array<std::string_view, 5> kNames = {"done", "budget", "goal_reached", "goal_given_up", "interrupted"};
  return kNames[static_cast<size_t>(kind)];
}

Json to_json(const AgentConfig& config) {
  return {{"seed", config.seed},
          {"iterations", config.iterations},
          {"rounds", config.rounds},
          {"skills_shown", config.skills_shown},
          {"tasks", config.tasks},
          {"goal", config.goal},
          {"goal_attempts", config.goal_attempts},
          {"prompt_bytes", config.prompt_bytes},
          {"skill_library", config.skill_library},
          {"critic", config.critic},
          {"feedback", config.feedback},
          {"random_curriculum", config.random_curriculum}};
}

Json to_json(const Budget& budget) {
  Json json = Json::object();
  if (budget.tokens > 0) json["tokens"] = budget.tokens;
  if (budget.calls > 0) json["calls"] = budget.calls;
  if (budget.minutes > 0) json["minutes"] = budget.minutes;
  if (budget.cost > 0) json["cost"] = budget.cost;
  return json;
}

Budget budget_from(const Json& json) {
  if (json.is_null()) return {};
  try {
    return {.tokens = json.value("tokens", int64_t{0}),
            .calls = json.value("calls", int64_t{0}),
            .minutes = json.value("minutes", 0.0),
            .cost = json.value("cost", 0.0)};
  } catch (const Json::exception& error) {
    throw fail<FormatError>("the record's budget cannot be read ({}): another version of Caravel wrote it",
                            error.what());
  }
}

AgentConfig agent_config_from(const Json& json) {
  try {
    AgentConfig config;
    config.seed = json.at("seed").get<uint64_t>();
    config.iterations = json.at("iterations").get<int64_t>();
    config.rounds = json.at("rounds").get<int>();
    config.skills_shown = json.at("skills_shown").get<int>();
    config.tasks = json.at("tasks").get<std::vector<std::string>>();
    config.goal = json.at("goal").get<std::string>();
    config.goal_attempts = json.at("goal_attempts").get<int>();
    config.prompt_bytes = json.at("prompt_bytes").get<int64_t>();
    config.skill_library = json.at("skill_library").get<bool>();
    config.critic = json.at("critic").get<bool>();
    config.feedback = json.at("feedback").get<bool>();
    config.random_curriculum = json.at("random_curriculum").get<bool>();
    return config;
  } catch (const Json::exception& error) {
    throw fail<FormatError>("the record's configuration cannot be read ({}): another version of Caravel wrote it",
                            error.what());
  }
}

}  // namespace caravel::voyager
