#include "mini/obtainable.h"

#include <algorithm>
#include <set>

#include "mini/creature_kinds.h"
#include "mini/recipes.h"

namespace caravel::mini {
namespace {

/// What is found in terrain as it is made (chunk.h), with the tools that are had so far.
void add_found(std::set<ItemId>& had) {
  Tier best = Tier::kHand;
  bool shears = false, bucket = false;
  for (const ItemId item : had) {
    if (info(item).tool == Tool::kPickaxe) best = std::max(best, info(item).tier);
    shears = shears || info(item).tool == Tool::kShears;
    bucket = bucket || info(item).name == "bucket";
  }
  for (int i = 0; i < static_cast<int>(Block::kNamed); ++i) {
    const auto block = static_cast<Block>(i);
    const bool only_built = block >= Block::kCraftingTable && block <= Block::kLadder;
    const bool made_by_player = block == Block::kSnowBlock || block == Block::kCobblestone;
    if (only_built || made_by_player || info(block).tier > best || info(block).drop.empty()) continue;
    had.insert(item_of(info(block).drop));
  }
  for (const char* chance : {"wheat_seeds", "flint", "stick", "apple", "wheat"}) had.insert(item_of(chance));
  for (const std::string_view wood : kWoodNames) {
    had.insert(item_of(std::string(wood) + "_sapling"));
    if (shears) had.insert(item_of(std::string(wood) + "_leaves"));
  }
  if (bucket)
    for (const char* full : {"water_bucket", "lava_bucket"}) had.insert(item_of(full));
  for (int i = 0; i < kKinds; ++i)
    for (const Loot& loot : info(static_cast<Kind>(i)).loot) had.insert(item_of(loot.item));
}

void add_made(std::set<ItemId>& had) {
  for (const Recipe& recipe : recipes())
    if (std::all_of(recipe.needs.begin(), recipe.needs.end(), [&](const Ingredient& need) {
          return std::any_of(need.any.begin(), need.any.end(), [&](ItemId item) { return had.contains(item); });
        }))
      had.insert(recipe.makes);
  if (!had.contains(item_of("furnace"))) return;
  const std::set<ItemId> before = had;
  for (const ItemId item : before)
    if (const std::optional<ItemId> made = smelted(item)) had.insert(*made);
}

}  // namespace

const std::vector<std::string>& obtainable_items() {
  static const std::vector<std::string> all = [] {
    std::set<ItemId> had;
    size_t before = 0;
    do {
      before = had.size();
      add_found(had);
      add_made(had);
    } while (had.size() > before);
    std::vector<std::string> names;
    for (const ItemId item : had) names.push_back(info(item).name);
    std::sort(names.begin(), names.end());
    return names;
  }();
  return all;
}

}  // namespace caravel::mini
