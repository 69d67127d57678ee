#include "mini/crafting.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "mini/digging.h"
#include "mini/passing.h"

namespace caravel::mini {
namespace {

int have(const Ingredient& need, const Inventory& items) {
  int count = 0;
  for (const ItemId item : need.any) count += items.count(item);
  return count;
}

/// How often it can be made from what is there.
int times_possible(const Recipe& recipe, const Inventory& items) {
  int times = 1 << 20;
  for (const Ingredient& need : recipe.needs) times = std::min(times, have(need, items) / need.count);
  return times;
}

std::string missing_for(const Recipe& recipe, int times, const Inventory& items) {
  std::vector<std::string> missing;
  for (const Ingredient& need : recipe.needs)
    if (const int lack = need.count * times - have(need, items); lack > 0)
      missing.push_back(fmt::format("{} more {}{}", lack, info(spelled_by(need, items)).name,
                                    need.any.size() > 1 ? " (or another of its kind)" : ""));
  return fmt::format("{}", fmt::join(missing, ", "));
}

/// Each piece finds a place where it comes out: the fuel is gone then, and as many of what is smelted.
bool has_room(Inventory items, ItemId item, ItemId made, ItemId fuel, int fuels, int count) {
  items.take(fuel, fuels);
  if (info(fuel).name == "lava_bucket") items.add(item_of("bucket"), fuels);
  for (int i = 0; i < count; ++i) {
    items.take(item, 1);
    if (items.add(made, 1) > 0) return false;
  }
  return true;
}

/// The recipe that makes it from what is there, else the one that is nearest to it: the first.
const Recipe& choose(const std::vector<const Recipe*>& found, const Inventory& items) {
  const auto possible =
      std::find_if(found.begin(), found.end(), [&](const Recipe* r) { return times_possible(*r, items) > 0; });
  return possible == found.end() ? *found.front() : **possible;
}

}  // namespace

ItemId spelled_by(const Ingredient& need, const Inventory& items) {
  return *std::max_element(need.any.begin(), need.any.end(),
                           [&](ItemId a, ItemId b) { return items.count(a) < items.count(b); });
}

bool has_near(const Game& game, Block block) {
  constexpr int kArms = 5;
  for (int y = -kArms; y <= kArms + 1; ++y)
    for (int x = -kArms; x <= kArms; ++x)
      for (int z = -kArms; z <= kArms; ++z) {
        const Cell cell = game.player.at + Cell{x, y, z};
        if (game.terrain.at(cell) == block && within_reach(game.player, cell)) return true;
      }
  return false;
}

int craft(Game& game, ItemId item, int count) {
  Inventory& items = game.player.items;
  const std::string& name = info(item).name;
  const std::vector<const Recipe*> found = recipes_of(item);
  if (found.empty()) throw Refused{fmt::format("there is no recipe for {}", name)};
  const Recipe& recipe = choose(found, items);
  const int times = (count + recipe.count - 1) / recipe.count;
  if (times_possible(recipe, items) < times)
    throw Refused{fmt::format("cannot craft {} {}: {} missing", count, name, missing_for(recipe, times, items))};
  if (recipe.table && !has_near(game, Block::kCraftingTable))
    throw Refused{fmt::format("{} needs a crafting_table within 4.5 blocks: place one, or go to one", name)};
  const Inventory before = items;
  const ItemId hand = game.player.hand;
  for (const Ingredient& need : recipe.needs)
    for (int left = need.count * times; left > 0;) {
      const ItemId from = spelled_by(need, items);
      const int taken = std::min(left, items.count(from));
      take(game, from, taken);
      left -= taken;
    }
  if (items.room(item) < recipe.count * times) {
    items = before;
    game.player.hand = hand;
    throw Refused{
        fmt::format("no room for {} {}: {} of {} slots are full", recipe.count * times, name, items.used(), kSlots)};
  }
  give(game, item, recipe.count * times);
  game.counts.crafted[item] += recipe.count * times;
  pass(game, 5 * times, 10);
  return recipe.count * times;
}

Stack smelt(Game& game, ItemId item, ItemId fuel, int count) {
  Inventory& items = game.player.items;
  const std::optional<ItemId> made = smelted(item);
  if (!made) throw Refused{fmt::format("{} cannot be smelted", info(item).name)};
  if (info(fuel).burns == 0)
    throw Refused{fmt::format("{} does not burn: coal, charcoal, planks and logs do", info(fuel).name)};
  if (!has_near(game, Block::kFurnace))
    throw Refused{"smelting needs a furnace within 4.5 blocks: place one, or go to one"};
  const int fuels = (count * kSmeltTicks + info(fuel).burns - 1) / info(fuel).burns;
  const int needed = count + (fuel == item ? fuels : 0);
  if (items.count(item) < needed)
    throw Refused{fmt::format("cannot smelt {} {}: you have {}", count, info(item).name, items.count(item))};
  if (items.count(fuel) < fuels)
    throw Refused{fmt::format("{} {} need {} {} to burn: you have {}", count, info(item).name, fuels, info(fuel).name,
                              items.count(fuel))};
  if (!has_room(items, item, *made, fuel, fuels, count))
    throw Refused{
        fmt::format("no room for {} {}: {} of {} slots are full", count, info(*made).name, items.used(), kSlots)};
  take(game, fuel, fuels);
  if (info(fuel).name == "lava_bucket") give(game, item_of("bucket"), fuels);
  // One after another: what happens to the player meanwhile takes nothing of what is done.
  for (int i = 0; i < count; ++i) {
    take(game, item, 1);
    give(game, *made, 1);
    ++game.counts.smelted[*made];
    pass(game, kSmeltTicks, 0);
  }
  return {*made, static_cast<int16_t>(count), 0};
}

}  // namespace caravel::mini
