#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"
#include "base/utf8.h"
#include "report/page.h"
#include "voyager/report.h"
#include "voyager/report_text.h"

namespace caravel::voyager {
namespace {

struct Side {
  std::string name;
  RunSummary run;
};

std::vector<Side> sides_of(const std::vector<ComparedRun>& runs) {
  std::vector<Side> sides;
  for (const ComparedRun& one : runs) sides.push_back({one.name, summarise(*one.run)});
  return sides;
}

/// Every tier of any run, lowest first as the first run with it has them.
std::vector<std::string> tier_names(const std::vector<Side>& sides) {
  std::vector<std::string> names;
  for (const Side& side : sides) {
    for (const TierReached& tier : side.run.tiers) {
      if (std::ranges::find(names, tier.name) == names.end()) names.push_back(tier.name);
    }
  }
  return names;
}

/// In which iteration; "–": not at all.
std::string reached_in(const RunSummary& run, const std::string& name) {
  const auto tier = std::ranges::find(run.tiers, name, &TierReached::name);
  return tier == run.tiers.end() || tier->iteration == 0 ? "–" : std::to_string(tier->iteration);
}

/// Different items after an iteration; "–" where the run did not get there.
std::string items_after(const RunSummary& run, int64_t iteration) {
  if (run.tasks.empty() || run.tasks.back().row.number < iteration) return "–";
  return with_commas(
      std::ranges::count_if(run.items, [&](const ItemRow& item) { return item.iteration <= iteration; }));
}

/// Some iterations, evenly apart, the last of the longest run among them.
std::vector<int64_t> looks(const std::vector<Side>& sides) {
  constexpr int64_t kLooks = 8;
  int64_t last = 0;
  for (const Side& side : sides) last = std::max(last, side.run.tasks.empty() ? 0 : side.run.tasks.back().row.number);
  std::vector<int64_t> at;
  for (int64_t i = 1; i <= kLooks; ++i) {
    const int64_t one = (last * i + kLooks - 1) / kLooks;
    if (one > 0 && (at.empty() || one > at.back())) at.push_back(one);
  }
  return at;
}

/// A row for each figure, a column for each run.
report::Table figures(const std::vector<Side>& sides) {
  report::Table table{"", {""}, {}};
  for (const Side& side : sides) table.columns.push_back(side.name);
  const auto add = [&](std::string name, const auto& of) {
    std::vector<std::string>& row = table.rows.emplace_back(1, std::move(name));
    for (const Side& side : sides) row.push_back(of(side.run));
  };
  const auto or_dash = [](const std::string& text) { return text.empty() ? "–" : text; };
  if (std::ranges::all_of(sides, [](const Side& side) { return side.run.has_one_model(); })) {
    add("model", [&](const RunSummary& run) { return or_dash(run.action); });
  } else {
    add("model of the curriculum", [&](const RunSummary& run) { return or_dash(run.curriculum); });
    add("model of the action", [&](const RunSummary& run) { return or_dash(run.action); });
    add("model of the critic", [&](const RunSummary& run) { return or_dash(run.critic_model); });
  }
  add("goal", [&](const RunSummary& run) { return or_dash(run.goal); });
  add("seed", [](const RunSummary& run) { return std::to_string(run.seed); });
  add("different items", [](const RunSummary& run) { return with_commas(static_cast<int64_t>(run.items.size())); });
  for (const int64_t iteration : looks(sides))
    add(fmt::format("  after iteration {}", iteration),
        [=](const RunSummary& run) { return items_after(run, iteration); });
  for (const std::string& tier : tier_names(sides))
    add(fmt::format("{}, in iteration", tier), [&](const RunSummary& run) { return reached_in(run, tier); });
  add("tasks done", [](const RunSummary& run) { return with_commas(run.done); });
  add("tasks failed", [](const RunSummary& run) { return with_commas(run.failed); });
  add("rounds", [](const RunSummary& run) { return with_commas(run.rounds); });
  add("rounds that used skills", [](const RunSummary& run) { return with_commas(run.rounds_with_skills); });
  add("skills", [](const RunSummary& run) { return with_commas(run.skills); });
  add("model calls", [](const RunSummary& run) { return with_commas(run.calls().calls); });
  add("retries", [](const RunSummary& run) { return with_commas(run.calls().retries); });
  add("tokens in", [](const RunSummary& run) { return tokens_text(run.calls().prompt_tokens, run.calls().counted); });
  add("tokens out",
      [](const RunSummary& run) { return tokens_text(run.calls().completion_tokens, run.calls().counted); });
  add("cost", [](const RunSummary& run) { return cost_text(run.calls().cost); });
  add("models' time", [](const RunSummary& run) { return seconds_text(run.calls().seconds); });
  add("critic's accuracy", [](const RunSummary& run) { return accuracy_text(run.critic); });
  add("rounds it was measured in", [](const RunSummary& run) { return with_commas(run.critic.compared()); });
  return table;
}

report::Series item_series(const Side& side) {
  const ItemSteps steps = item_steps(side.run);
  report::Series series{side.name, {0}, {0}, {""}};
  for (size_t i = 0; i < steps.iterations.size(); ++i) {
    series.x.push_back(steps.iterations[i]);
    series.y.push_back(steps.counts[i]);
    series.labels.push_back(steps.names[i]);
  }
  const auto end = static_cast<double>(side.run.tasks.empty() ? 0 : side.run.tasks.back().row.number);
  if (series.x.back() < end) {
    series.x.push_back(end);
    series.y.push_back(series.y.back());
    series.labels.emplace_back();
  }
  return series;
}

/// Characters, as a terminal has a column for each: of names, and of figures.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

}  // namespace

std::string compare_page(const std::vector<ComparedRun>& runs) {
  const std::vector<Side> sides = sides_of(runs);
  report::Page page("Voyages side by side");
  report::Plot plot{.title = "Different items over iterations",
                    .kind = report::Plot::Kind::kStep,
                    .x = {.label = "iteration", .low = 0},
                    .y = {.label = "different items", .low = 0}};
  for (const Side& side : sides) plot.series.push_back(item_series(side));
  page.plot(plot);
  page.table(figures(sides));
  report::Table endings{"How they ended", {"run", "world", "seed", "ending"}, {}};
  for (const Side& side : sides)
    endings.rows.push_back({side.name, side.run.world, std::to_string(side.run.seed), ending_text(side.run)});
  page.table(endings);
  return page.html();
}

std::string compare_text(const std::vector<ComparedRun>& runs) {
  const std::vector<Side> sides = sides_of(runs);
  report::Table table = figures(sides);
  table.rows.insert(table.rows.begin(), table.columns);
  std::vector<size_t> widths(table.columns.size());
  for (std::vector<std::string>& row : table.rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = printable(row[i], 40);
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  std::string text;
  for (const std::vector<std::string>& row : table.rows) {
    text += row[0] + std::string(widths[0] - width_of(row[0]), ' ');
    for (size_t i = 1; i < row.size(); ++i) text += "  " + std::string(widths[i] - width_of(row[i]), ' ') + row[i];
    text += "\n";
  }
  for (const Side& side : sides)
    text += fmt::format("{}: {}\n", printable(side.name, 40), printable(ending_text(side.run)));
  return text;
}

}  // namespace caravel::voyager
