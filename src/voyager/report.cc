#include "voyager/report.h"

#include <fmt/format.h>

#include "voyager/map_picture.h"
#include "voyager/report_parts.h"
#include "voyager/report_text.h"

namespace caravel::voyager {
namespace {

void add_map(report::Page& page, const RunStore& run, const MapImage& map) {
  if (map.rgb.empty()) return;
  page.heading("Map");
  const int64_t blocks_wide = static_cast<int64_t>(map.width * map.blocks_per_pixel);
  const int64_t blocks_high = static_cast<int64_t>(map.height * map.blocks_per_pixel);
  page.picture(
      map_png(run, map), "What the player has seen of the world from above, and the way that it went",
      fmt::format(
          "What was seen, {} by {} blocks, x to the right and z down. The way leads from the white disc to the "
          "red one, from yellow to red, straight from where one round of code ended to where the next did: a death "
          "leads back to the start.",
          with_commas(blocks_wide), with_commas(blocks_high)));
}

}  // namespace

std::string map_png(const RunStore& run, const MapImage& map) { return map_picture(map, run.trail()); }

std::string report_page(const RunStore& run, const MapImage& map, size_t most_bytes) {
  const RunSummary summary = summarise(run);
  report::Page page(fmt::format("A voyage in the world {}, seed {}", summary.world, summary.seed));
  add_outcome(page, run, summary);
  add_items(page, summary);
  add_map(page, run, map);
  add_tasks(page, summary);
  add_critic(page, summary);
  add_skills(page, run);
  add_questions(page, run);
  add_rounds(page, run, summary);
  add_calls(page, run, summary, most_bytes);
  add_setup(page, run);
  return page.html();
}

}  // namespace caravel::voyager
