#pragma once

#include <vector>

#include "mini/game.h"

namespace caravel::mini {

/// One move of a way: from the place before it to the next, through cells that have to be free, and dug where they are
/// not.
struct Move {
  Cell to;
  std::vector<Cell> through;
  int ticks = 0;  // of going, without digging and falling
};

struct Path {
  std::vector<Move> moves;
  bool arrives = false;  // else it leads to the place nearest to the goal that was found
};

/// Places that a search looks at before it gives up: the more the farther it is.
size_t most_places(const Cell& from, const Cell& goal);

/// Somebody may stand with their feet there, digging what is in the way.
bool may_be_in(const Terrain& terrain, const Cell& cell);

/// A way for the player from where it stands to within `range` blocks of `goal`, by A* (Hart et al., 1968) over places
/// where it can stand or swim, which takes the fewest ticks or somewhat more: the estimate of what is left is weighted.
/// Moves go level, one up, or down to three; what is in the way is dug, with the best tools, but not chests and what
/// else was placed to be used. Lava is kept out of. Ties are broken by order: the same world gives the same way.
Path find_path(const Game& game, const Cell& goal, double range);

}  // namespace caravel::mini
