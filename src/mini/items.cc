#include "mini/items.h"

#include <unordered_map>

#include "base/check.h"

namespace caravel::mini {
namespace {

struct Material {
  const char* name;
  Tier tier;
  int speed, durability;
  int sword, axe;  // damage
};
constexpr Material kToolMaterials[] = {{"wooden", Tier::kWood, 2, 59, 4, 7},
                                       {"stone", Tier::kStone, 4, 131, 5, 9},
                                       {"iron", Tier::kIron, 6, 250, 6, 9},
                                       {"golden", Tier::kWood, 12, 32, 4, 7},
                                       {"diamond", Tier::kDiamond, 8, 1561, 7, 9}};

struct ArmourMaterial {
  const char* name;
  int points[4];  // helmet, chestplate, leggings, boots
  int durability[4];
};
constexpr ArmourMaterial kArmourMaterials[] = {{"leather", {1, 3, 2, 1}, {55, 80, 75, 65}},
                                               {"iron", {2, 6, 5, 2}, {165, 240, 225, 195}},
                                               {"golden", {2, 5, 3, 1}, {77, 112, 105, 91}},
                                               {"diamond", {3, 8, 6, 3}, {363, 528, 495, 429}}};

void add_tools(std::vector<ItemInfo>& all) {
  for (const Material& material : kToolMaterials) {
    const auto add = [&](const char* kind, Tool tool, int damage) {
      all.push_back({.name = std::string(material.name) + kind,
                     .stack = 1,
                     .tool = tool,
                     .tier = material.tier,
                     .speed = material.speed,
                     .durability = material.durability,
                     .damage = damage,
                     .burns = material.name == std::string_view("wooden") ? 200 : 0});
    };
    add("_pickaxe", Tool::kPickaxe, material.sword - 2);
    add("_axe", Tool::kAxe, material.axe);
    add("_shovel", Tool::kShovel, material.sword - 2);
    add("_hoe", Tool::kHoe, 1);
    add("_sword", Tool::kSword, material.sword);
  }
  all.push_back({.name = "shears", .stack = 1, .tool = Tool::kShears, .speed = 5, .durability = 238});
  constexpr const char* kPieces[] = {"_helmet", "_chestplate", "_leggings", "_boots"};
  for (const ArmourMaterial& material : kArmourMaterials)
    for (int i = 0; i < 4; ++i)
      all.push_back({.name = std::string(material.name) + kPieces[i],
                     .stack = 1,
                     .durability = material.durability[i],
                     .wear = static_cast<Wear>(static_cast<int>(Wear::kHead) + i),
                     .armour = material.points[i]});
  all.push_back({.name = "shield", .stack = 1, .durability = 336, .wear = Wear::kOffHand});
}

void add_food(std::vector<ItemInfo>& all) {
  constexpr std::pair<const char*, int> kFood[] = {
      {"apple", 4},          {"golden_apple", 4},    {"bread", 5},         {"beef", 3},          {"cooked_beef", 8},
      {"porkchop", 3},       {"cooked_porkchop", 8}, {"mutton", 2},        {"cooked_mutton", 6}, {"chicken", 2},
      {"cooked_chicken", 6}, {"rabbit", 3},          {"cooked_rabbit", 5}, {"sweet_berries", 2}, {"dried_kelp", 1},
      {"rotten_flesh", 4},   {"spider_eye", 2},      {"pumpkin_pie", 8},   {"mushroom_stew", 6}};
  for (const auto& [name, points] : kFood)
    all.push_back({.name = name, .stack = name == std::string_view("mushroom_stew") ? 1 : 64, .food = points});
}

void add_materials(std::vector<ItemInfo>& all) {
  for (const char* name :
       {"coal",       "charcoal",    "raw_iron",    "raw_copper",  "raw_gold",     "iron_ingot",  "copper_ingot",
        "gold_ingot", "iron_nugget", "gold_nugget", "redstone",    "lapis_lazuli", "emerald",     "diamond",
        "stick",      "flint",       "clay_ball",   "brick",       "string",       "feather",     "leather",
        "bone",       "bone_meal",   "gunpowder",   "arrow",       "wheat",        "wheat_seeds", "pumpkin_seeds",
        "sugar",      "paper",       "book",        "bowl",        "egg",          "green_dye",   "white_dye",
        "yellow_dye", "red_dye",     "blue_dye",    "rabbit_hide", "painting",     "item_frame",  "map"})
    all.push_back({.name = name});
  all.push_back({.name = "snowball", .stack = 16});
  all.push_back({.name = "bucket", .stack = 16});
  for (const char* name : {"water_bucket", "lava_bucket", "bow", "crossbow", "fishing_rod", "flint_and_steel",
                           "minecart", "oak_boat", "birch_boat", "spruce_boat", "acacia_boat"})
    all.push_back({.name = name, .stack = 1});
  for (const char* name : {"compass", "clock", "spyglass"}) all.push_back({.name = name, .stack = 1});
}

bool ends_with_any(std::string_view name, std::initializer_list<std::string_view> ends) {
  for (const std::string_view end : ends)
    if (name.ends_with(end)) return true;
  return false;
}

/// Ticks as fuel of what is of wood, and of the rest that burns; an item of 200 smelts one thing.
int burn_ticks(const ItemInfo& item) {
  const std::string_view name = item.name;
  if (item.burns > 0) return item.burns;
  if (name == "coal" || name == "charcoal") return 1600;
  if (name == "coal_block") return 16000;
  if (name == "lava_bucket") return 20000;
  if (name == "dried_kelp_block") return 4000;
  if (name == "stick" || name == "bowl" || ends_with_any(name, {"_sapling", "_button", "white_wool"})) return 100;
  if (name == "white_carpet") return 67;
  if (name.starts_with("iron_") || name.starts_with("stone_") || name.starts_with("smooth_")) return 0;
  if (ends_with_any(name, {"_slab"})) {
    for (const std::string_view wood : kWoodNames)
      if (name.starts_with(wood)) return 150;
    return 0;
  }
  for (const std::string_view wood : kWoodNames)
    if (name.starts_with(std::string(wood) + "_") && !name.ends_with("_leaves"))
      return name.ends_with("_boat") ? 1200 : 300;
  if (ends_with_any(name, {"crafting_table", "chest", "bookshelf", "ladder", "barrel", "jukebox", "note_block", "loom",
                           "composter", "lectern", "cartography_table", "fletching_table", "smithing_table", "bow",
                           "fishing_rod"}))
    return 300;
  return 0;
}

std::vector<ItemInfo> make_items() {
  std::vector<ItemInfo> all;
  for (size_t i = 0; i < blocks().size(); ++i) {
    const BlockInfo& block = blocks()[i];
    if (!block.placeable) continue;
    const bool single = block.name == "white_bed";
    const int stack = single ? 1 : block.name.ends_with("_sign") ? 16 : 64;
    all.push_back({.name = block.name, .stack = stack, .block = static_cast<Block>(i)});
  }
  add_tools(all);
  add_food(all);
  add_materials(all);
  for (ItemInfo& item : all) item.burns = burn_ticks(item);
  return all;
}

}  // namespace

const std::vector<ItemInfo>& items() {
  static const std::vector<ItemInfo> all = make_items();
  return all;
}

const ItemInfo& info(ItemId item) { return items()[static_cast<size_t>(item)]; }

std::optional<ItemId> item_named(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, ItemId> map;
    for (size_t i = 0; i < items().size(); ++i) {
      const bool is_new = map.emplace(items()[i].name, static_cast<ItemId>(i)).second;
      CARAVEL_CHECK(is_new);
    }
    return map;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? std::nullopt : std::optional(found->second);
}

ItemId item_of(std::string_view name) {
  const std::optional<ItemId> item = item_named(name);
  if (!item) internal::check_failed(__FILE__, __LINE__, "an item of the tables", std::string(name));
  return *item;
}

}  // namespace caravel::mini
