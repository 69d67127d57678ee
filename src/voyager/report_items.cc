#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "voyager/report_parts.h"
#include "voyager/report_text.h"

namespace caravel::voyager {

void add_items(report::Page& page, const RunSummary& summary) {
  page.heading("Tech tree");
  std::vector<report::Stage> stages;
  for (const TierReached& tier : summary.tiers) {
    const bool is_reached = tier.iteration > 0;
    stages.push_back({tier.name,
                      is_reached ? fmt::format("iteration {}, by {}", tier.iteration, tier.item) : "not reached",
                      is_reached});
  }
  page.stages(stages);

  page.heading("Items");
  if (summary.items.empty()) return page.text("None was found.");
  ItemSteps steps = item_steps(summary);
  const auto end = static_cast<double>(std::max<size_t>(summary.tasks.size(), 1));
  const double most = steps.counts.back();
  report::Plot plot{.title = "Different items over iterations",
                    .note = "Each point names what was new.",
                    .kind = report::Plot::Kind::kStep,
                    .x = {.label = "iteration", .low = 0, .high = std::max(end, steps.iterations.back())},
                    // Room for the name of the last point.
                    .y = {.label = "different items", .low = 0, .high = most + std::max(1.0, std::ceil(most / 10))},
                    .series = {},
                    .names_points = true};
  // From nothing at the start to all at the end.
  if (steps.iterations.front() > 0) {
    steps.iterations.insert(steps.iterations.begin(), 0);
    steps.counts.insert(steps.counts.begin(), 0);
    steps.names.insert(steps.names.begin(), "");
  }
  if (steps.iterations.back() < end) {
    steps.iterations.push_back(end);
    steps.counts.push_back(steps.counts.back());
    steps.names.emplace_back();
  }
  plot.series = {{"items", steps.iterations, steps.counts, steps.names}};
  page.plot(plot);
}

}  // namespace caravel::voyager
