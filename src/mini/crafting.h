#pragma once

#include <string_view>

#include "mini/game.h"
#include "mini/recipes.h"

namespace caravel::mini {

/// Makes at least `count` of it, by the first recipe for which there is enough; how many were made. Throws Refused: no
/// recipe, no table near, what is missing.
int craft(Game& game, ItemId item, int count);
/// Smelts `count` of `item` in a furnace near, with as much of `fuel` as that takes; what and how many came out.
Stack smelt(Game& game, ItemId item, ItemId fuel, int count);

/// A block of that kind within reach.
bool has_near(const Game& game, Block block);

/// The item that an ingredient is spelled by to this player: the one that it has most of, else the first.
ItemId spelled_by(const Ingredient& need, const Inventory& items);

}  // namespace caravel::mini
