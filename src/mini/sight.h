#pragma once

#include <vector>

#include "mini/game.h"

namespace caravel::mini {

/// A block is seen that air, water or anything else that hides nothing touches (the walls of caves, too), or that is
/// within kFeels blocks of the player, so that digging finds what lies around: nobody looks through rock from afar.
inline constexpr int kFeels = 5;
inline constexpr int kFarthest = 64;  // blocks that one sees

/// Those of these kinds that are seen within `most_distance`, nearest first (then lower, then by x and z).
std::vector<Cell> find_blocks(const Game& game, const std::vector<Block>& kinds, int most_distance, int most);

/// From the player's feet to the creature's, in hundredths of blocks rounded down.
double distance_to(const Game& game, const Creature& creature);
/// In a clear line from the player's eyes, or within 8 blocks, where it is heard; nearest first.
std::vector<const Creature*> creatures_seen(const Game& game, int most_distance);

}  // namespace caravel::mini
