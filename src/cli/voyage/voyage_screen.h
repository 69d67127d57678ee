#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/voyage/map_cells.h"
#include "cli/voyage/voyage_status.h"

namespace caravel::cli {

/// The size of a terminal, and what it can show.
struct ScreenSize {
  size_t columns = 80, rows = 24;
  Colors colors = Colors::kNone;
};

/// How many cells of it the map has; none where it is too small for one.
struct MapRoom {
  size_t columns = 0, rows = 0;
};
MapRoom map_room(const ScreenSize& screen);

/// A voyage as the `screen.rows` lines of a terminal, each of exactly `screen.columns`: task, code, what came of it,
/// the answer that comes in, and beside them map and inventory; totals at the foot. `run`: its folder.
std::vector<std::string> voyage_screen(const VoyageStatus& status, const std::string& run, const voyager::MapImage& map,
                                       const ScreenSize& screen);

}  // namespace caravel::cli
