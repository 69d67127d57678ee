#pragma once

#include "mini/game.h"

namespace caravel::mini {

/// One tick of all creatures: those near move, those that are hostile hurt the player, some come and some go.
void move_creatures(Game& game);
/// Animals around the start.
void first_animals(Game& game);

/// A creature fits there: feet and head free, ground under it, no water.
bool can_stand(const Terrain& terrain, const Cell& cell);
/// Nothing that hides is between the two.
bool clear_line(const Terrain& terrain, const Cell& from, const Cell& to);

}  // namespace caravel::mini
