#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mini/items.h"

namespace caravel::mini {

/// One of several items will do ("any planks"), in the order in which they are taken.
struct Ingredient {
  std::vector<ItemId> any;
  int count = 1;
};

struct Recipe {
  ItemId makes = kNoItem;
  int count = 1;
  std::vector<Ingredient> needs;
  bool table = true;  // needs a crafting table; else the 2 x 2 that the player carries is enough
};

const std::vector<Recipe>& recipes();
/// Those that make an item; none for one that is not crafted.
std::vector<const Recipe*> recipes_of(ItemId item);

/// What a furnace makes of one of these, in 200 ticks.
std::optional<ItemId> smelted(ItemId item);
inline constexpr int kSmeltTicks = 200;

}  // namespace caravel::mini
