#pragma once

#include <optional>

#include "mini/game.h"

namespace caravel::mini {

/// Environment::map(): what the player has seen, from above, higher ground lighter. Columns that it has only been below
/// are dark. With `blocks_around` and the player below the ground: what is at its height, as far as it has seen.
voyager::MapImage draw_map(const Game& game, int most_pixels, std::optional<int> blocks_around);

}  // namespace caravel::mini
