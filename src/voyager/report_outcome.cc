#include <fmt/format.h>

#include <algorithm>

#include "voyager/report_parts.h"
#include "voyager/report_text.h"

namespace caravel::voyager {
namespace {

report::Headline tier_headline(const RunSummary& summary) {
  const auto last = std::ranges::find_if(summary.tiers.rbegin(), summary.tiers.rend(),
                                         [](const TierReached& tier) { return tier.iteration > 0; });
  if (last == summary.tiers.rend()) return {"tier", "none", fmt::format("of {}", summary.tiers.size())};
  return {"tier", last->name, fmt::format("in iteration {}", last->iteration)};
}

std::string carried(const Observation& at) {
  std::vector<std::string> items;
  for (const auto& [name, count] : at.inventory) items.push_back(fmt::format("{} {}", count, name));
  return fmt::format(
      "At the end: day {}, {}, in the biome {}, at ({:.0f}, {:.0f}, {:.0f}), health {:g} of 20, food {:g} "
      "of 20, {}.",
      at.tick / 24'000 + 1, at.time_of_day, at.biome, at.position.x, at.position.y, at.position.z, at.health, at.food,
      items.empty() ? "with nothing" : "with " + joined(items));
}

}  // namespace

void add_outcome(report::Page& page, const RunStore& run, const RunSummary& summary) {
  const RoleTotals calls = summary.calls();
  if (!summary.has_one_model()) {
    page.text(fmt::format("Models: {} of the curriculum, {} of the action, {} of the critic", summary.curriculum,
                          summary.action, summary.critic_model));
  } else if (!summary.action.empty()) {
    page.text("Model: " + summary.action);
  }
  if (!summary.goal.empty()) page.text("Goal: " + summary.goal);
  page.text("How it ended: " + ending_text(summary));
  std::vector<report::Headline> headlines = {
      {"different items", with_commas(static_cast<int64_t>(summary.items.size())), ""},
      tier_headline(summary),
      {"tasks done", fmt::format("{} of {}", summary.done, summary.tasks.size()),
       fmt::format("{}{}", counted(summary.rounds, "round"), summary.open > 0 ? ", the last not ended" : "")},
      {"skills", with_commas(summary.skills), fmt::format("{} learnt here", with_commas(summary.skills_learnt))},
      {"model calls", with_commas(calls.calls), calls.retries > 0 ? "after " + retries_text(calls.retries) : ""},
      {"tokens", tokens_text(calls.prompt_tokens + calls.completion_tokens, calls.counted),
       fmt::format("{} in, {} out", with_commas(calls.prompt_tokens), with_commas(calls.completion_tokens))},
      {"models' time", seconds_text(calls.seconds), ""},
      {"critic's accuracy", accuracy_text(summary.critic),
       fmt::format("in {}", counted(summary.critic.compared(), "round"))},
  };
  if (calls.cost > 0) headlines.push_back({"cost", cost_text(calls.cost), "by the prices given"});
  page.headlines(headlines);
  if (const std::optional<Observation> at = run.observation()) page.text(carried(*at));
}

void add_tasks(report::Page& page, const RunSummary& summary) {
  page.heading("Tasks");
  if (summary.tasks.empty()) return page.text("There was none.");
  page.text(
      "What the critic and the world said of each task after its last round. The world says nothing of tasks that it "
      "cannot check.");
  report::Table table{"", {"", "task", "rounds", "result", "critic", "world"}, {}};
  for (const TaskOutcome& task : summary.tasks) {
    table.rows.push_back({std::to_string(task.row.number), task.row.task, std::to_string(task.rounds),
                          result_text(task), yes_or_no(task.judged), yes_or_no(task.checked)});
  }
  page.table(table);
}

void add_critic(report::Page& page, const RunSummary& summary) {
  page.heading("Critic");
  const CriticCounts& critic = summary.critic;
  if (critic.compared() == 0) return page.text("There is no round that both critic and world judged.");
  page.text(
      fmt::format("Of {} that both judged, the critic said what the world did in {}: {}. {} more the world could "
                  "not check.",
                  counted(critic.compared(), "round"), with_commas(critic.right()), accuracy_text(critic),
                  with_commas(critic.unchecked)));
  page.table({"",
              {"", "world: done", "world: not done"},
              {{"critic: done", with_commas(critic.both_yes), with_commas(critic.only_critic)},
               {"critic: not done", with_commas(critic.only_world), with_commas(critic.both_no)}}});
}

std::string task_title(const RunSummary& summary, int64_t iteration) {
  const TaskOutcome* const task = summary.task(iteration);
  return task == nullptr ? std::to_string(iteration) : fmt::format("{}. {}", iteration, task->row.task);
}

}  // namespace caravel::voyager
