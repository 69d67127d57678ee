#pragma once

#include <vector>

#include "mini/game.h"

namespace caravel::mini {

/// A block is seen where air, water or anything else that hides nothing touches it: as far as kFarthest blocks if that
/// is under the open sky, and within kInTheDark if it is not, as in caves. Within kFeels blocks all are known, so that
/// digging finds what lies beside. Nobody looks through rock.
inline constexpr int kFeels = 3, kInTheDark = 20, kFarthest = 64;

/// Those of these kinds that are seen within `most_distance`, nearest first (then lower, then by x and z).
std::vector<Cell> find_blocks(const Game& game, const std::vector<Block>& kinds, int most_distance, int most);

/// From the player's feet to the creature's, in hundredths of blocks rounded down.
double distance_to(const Game& game, const Creature& creature);
/// In a clear line from the player's eyes, or within 8 blocks, where it is heard; nearest first.
std::vector<const Creature*> creatures_seen(const Game& game, int most_distance);

}  // namespace caravel::mini
