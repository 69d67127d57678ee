#pragma once

#include "mini/game.h"

namespace caravel::mini {

inline constexpr int kMostWalkTicks = 6000;  // of one call

/// Walks, digs and climbs to within `range` blocks of the goal; of less than one, to the ground below a goal in the
/// air. Throws Refused where it does not get there.
void go_to(Game& game, const Cell& goal, double range);

/// Goes on in a direction (its parts from -1 to 1) for so many ticks, over the ground or through it where it is below;
/// to where it gets. Throws Refused where it cannot move at all.
void explore(Game& game, const Cell& direction, int ticks);

}  // namespace caravel::mini
