#include "base/error.h"
#include "voyager/agent_phases.h"

namespace caravel::voyager {

std::string AgentPhases::goal_reached(const Observation& now, bool is_list_done) {
  const Observation& start = state_.goal_start.value();
  if (const auto checked = world_.check(config_.goal, start, now)) return *checked ? "the world says so" : "";
  if (!is_list_done) return {};
  if (!config_.critic) return "all of its tasks were done, and nobody says otherwise";
  const auto verdict = critic_.judge(config_.goal, "", start, now);
  const auto* read = std::get_if<Verdict>(&verdict);
  return read != nullptr && read->success ? "the critic says so" : "";
}

bool AgentPhases::next_sub_goal(const Situation& situation, AgentState& next, ProposedTask& task) {
  const bool is_list_done = next.attempt > 0 && next.sub_goals.empty() && next.failed_at.empty();
  if (const std::string who = goal_reached(situation.now, is_list_done); !who.empty()) {
    end_run(next, Ending::Kind::kGoalReached,
            fmt::format("the goal \"{}\" is reached after {} task{}: {}", config_.goal, situation.iteration - 1,
                        situation.iteration == 2 ? "" : "s", who));
    return false;
  }
  const std::string where =
      next.failed_at.empty() ? "" : fmt::format("; the last one failed at \"{}\"", next.failed_at);
  if (situation.iteration > config_.iterations) {
    end_run(next, Ending::Kind::kGoalGivenUp,
            fmt::format("the goal \"{}\" is given up after {} tasks, which is the most that were allowed{}",
                        config_.goal, config_.iterations, where));
    return false;
  }
  if (next.sub_goals.empty()) {
    if (next.attempt >= config_.goal_attempts) {
      end_run(next, Ending::Kind::kGoalGivenUp,
              fmt::format("the goal \"{}\" is given up after {} decompositions{}", config_.goal, next.attempt, where));
      return false;
    }
    const auto tasks = curriculum_.decompose(config_.goal, situation);
    ++next.attempt;
    next.failed_at.clear();
    const auto* read = std::get_if<std::vector<std::string>>(&tasks);
    // The goal as it stands, where no list can be had.
    next.sub_goals = read != nullptr ? *read : std::vector<std::string>{config_.goal};
  }
  task = {next.sub_goals.front(), fmt::format("It leads to the goal \"{}\", by decomposition {} of {} at most.",
                                              config_.goal, next.attempt, config_.goal_attempts)};
  next.sub_goals.erase(next.sub_goals.begin());
  return true;
}

}  // namespace caravel::voyager
