#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "voyager/environment.h"

namespace caravel::voyager {

inline constexpr uint32_t kUnseenColour = 0x10141a;  // 0xRRGGBB, of columns of which nothing was seen

/// A column of blocks.
struct Column {
  int x = 0, z = 0;
};

struct Columns {
  int left = 0, top = 0, width = 0, height = 0;  // of columns; x goes right, z down
};

/// The colour in this percentage of its light.
uint32_t shaded(uint32_t colour, int percent);
/// The colour of ground so many blocks above the sea: higher ground is lighter.
uint32_t shaded_by_height(uint32_t colour, int above_sea);

/// Environment::map() of a world in which `seen` holds all that was seen, and the player stands at `player`. colour: of
/// a column, 0xRRGGBB.
MapImage draw_map(const Columns& seen, Column player, int most_pixels, std::optional<int> blocks_around,
                  const std::function<uint32_t(Column)>& colour);

}  // namespace caravel::voyager
