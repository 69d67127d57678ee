#include "mini/recipes.h"

#include <array>
#include <map>

#include "base/check.h"

namespace caravel::mini {
namespace {

/// "any planks", "any log", "any coal", "any slab" (of wood), or an item's name.
std::vector<ItemId> items_meant(std::string_view name) {
  if (name == "any coal") return {item_of("coal"), item_of("charcoal")};
  if (!name.starts_with("any ")) return {item_of(name)};
  std::vector<ItemId> any;
  for (const std::string_view wood : kWoodNames)
    any.push_back(item_of(std::string(wood) + "_" + std::string(name.substr(4))));
  return any;
}

struct Need {
  std::string_view item;
  int count;
};

Recipe recipe(std::string_view makes, int count, bool table, std::initializer_list<Need> needs) {
  Recipe made{.makes = item_of(makes), .count = count, .table = table};
  for (const Need& need : needs) made.needs.push_back({items_meant(need.item), need.count});
  return made;
}

struct Row {
  std::string_view makes;
  int count;
  bool table;
  std::initializer_list<Need> needs;
};

void add_woods(std::vector<Recipe>& all) {
  for (const std::string_view name : kWoodNames) {
    const std::string wood(name), planks = wood + "_planks";
    all.push_back(recipe(planks, 4, false, {{wood + "_log", 1}}));
    all.push_back(recipe(wood + "_slab", 6, true, {{planks, 3}}));
    all.push_back(recipe(wood + "_stairs", 4, true, {{planks, 6}}));
    all.push_back(recipe(wood + "_fence", 3, true, {{planks, 4}, {"stick", 2}}));
    all.push_back(recipe(wood + "_fence_gate", 1, true, {{planks, 2}, {"stick", 4}}));
    all.push_back(recipe(wood + "_door", 3, true, {{planks, 6}}));
    all.push_back(recipe(wood + "_trapdoor", 2, true, {{planks, 6}}));
    all.push_back(recipe(wood + "_button", 1, false, {{planks, 1}}));
    all.push_back(recipe(wood + "_pressure_plate", 1, false, {{planks, 2}}));
    all.push_back(recipe(wood + "_sign", 3, true, {{planks, 6}, {"stick", 1}}));
    all.push_back(recipe(wood + "_boat", 1, true, {{planks, 5}}));
  }
}

void add_equipment(std::vector<Recipe>& all) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kTools = {{{"wooden", "any planks"},
                                                                                    {"stone", "cobblestone"},
                                                                                    {"iron", "iron_ingot"},
                                                                                    {"golden", "gold_ingot"},
                                                                                    {"diamond", "diamond"}}};
  for (const auto& [material, of] : kTools) {
    const std::string name(material);
    all.push_back(recipe(name + "_pickaxe", 1, true, {{of, 3}, {"stick", 2}}));
    all.push_back(recipe(name + "_axe", 1, true, {{of, 3}, {"stick", 2}}));
    all.push_back(recipe(name + "_shovel", 1, true, {{of, 1}, {"stick", 2}}));
    all.push_back(recipe(name + "_hoe", 1, true, {{of, 2}, {"stick", 2}}));
    all.push_back(recipe(name + "_sword", 1, true, {{of, 2}, {"stick", 1}}));
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kArmour = {
      {{"leather", "leather"}, {"iron", "iron_ingot"}, {"golden", "gold_ingot"}, {"diamond", "diamond"}}};
  for (const auto& [material, of] : kArmour) {
    const std::string name(material);
    all.push_back(recipe(name + "_helmet", 1, true, {{of, 5}}));
    all.push_back(recipe(name + "_chestplate", 1, true, {{of, 8}}));
    all.push_back(recipe(name + "_leggings", 1, true, {{of, 7}}));
    all.push_back(recipe(name + "_boots", 1, true, {{of, 4}}));
  }
}

/// Nine of one and back.
void add_storage(std::vector<Recipe>& all) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kNine = {
      {{"coal_block", "coal"},
       {"iron_block", "iron_ingot"},
       {"gold_block", "gold_ingot"},
       {"copper_block", "copper_ingot"},
       {"diamond_block", "diamond"},
       {"emerald_block", "emerald"},
       {"lapis_block", "lapis_lazuli"},
       {"redstone_block", "redstone"},
       {"raw_iron_block", "raw_iron"},
       {"raw_gold_block", "raw_gold"},
       {"raw_copper_block", "raw_copper"}}};
  for (const auto& [block, item] : kNine) {
    all.push_back(recipe(block, 1, true, {{item, 9}}));
    all.push_back(recipe(item, 9, false, {{block, 1}}));
  }
  for (const std::string metal : {"iron", "gold"}) {
    all.push_back(recipe(metal + "_ingot", 1, true, {{metal + "_nugget", 9}}));
    all.push_back(recipe(metal + "_nugget", 9, false, {{metal + "_ingot", 1}}));
  }
}

const Row kRows[] = {
    {"stick", 4, false, {{"any planks", 2}}},
    {"crafting_table", 1, false, {{"any planks", 4}}},
    {"torch", 4, false, {{"any coal", 1}, {"stick", 1}}},
    {"chest", 1, true, {{"any planks", 8}}},
    {"barrel", 1, true, {{"any planks", 6}, {"any slab", 2}}},
    {"ladder", 3, true, {{"stick", 7}}},
    {"bowl", 4, true, {{"any planks", 3}}},
    {"furnace", 1, true, {{"cobblestone", 8}}},
    {"smoker", 1, true, {{"furnace", 1}, {"any log", 4}}},
    {"blast_furnace", 1, true, {{"furnace", 1}, {"iron_ingot", 5}, {"smooth_stone", 3}}},
    {"stonecutter", 1, true, {{"iron_ingot", 1}, {"stone", 3}}},
    {"campfire", 1, true, {{"any log", 3}, {"stick", 3}, {"any coal", 1}}},
    {"stone_slab", 6, true, {{"stone", 3}}},
    {"stone_stairs", 4, true, {{"stone", 6}}},
    {"stone_button", 1, false, {{"stone", 1}}},
    {"stone_pressure_plate", 1, false, {{"stone", 2}}},
    {"smooth_stone_slab", 6, true, {{"smooth_stone", 3}}},
    {"cobblestone_slab", 6, true, {{"cobblestone", 3}}},
    {"cobblestone_stairs", 4, true, {{"cobblestone", 6}}},
    {"cobblestone_wall", 6, true, {{"cobblestone", 6}}},
    {"stone_bricks", 4, false, {{"stone", 4}}},
    {"stone_brick_slab", 6, true, {{"stone_bricks", 3}}},
    {"stone_brick_stairs", 4, true, {{"stone_bricks", 6}}},
    {"stone_brick_wall", 6, true, {{"stone_bricks", 6}}},
    {"chiseled_stone_bricks", 1, false, {{"stone_brick_slab", 2}}},
    {"polished_granite", 4, false, {{"granite", 4}}},
    {"polished_diorite", 4, false, {{"diorite", 4}}},
    {"polished_andesite", 4, false, {{"andesite", 4}}},
    {"sandstone", 1, false, {{"sand", 4}}},
    {"cut_sandstone", 4, false, {{"sandstone", 4}}},
    {"sandstone_slab", 6, true, {{"sandstone", 3}}},
    {"sandstone_stairs", 4, true, {{"sandstone", 6}}},
    {"chiseled_sandstone", 1, false, {{"sandstone_slab", 2}}},
    {"clay", 1, false, {{"clay_ball", 4}}},
    {"bricks", 1, false, {{"brick", 4}}},
    {"brick_slab", 6, true, {{"bricks", 3}}},
    {"brick_stairs", 4, true, {{"bricks", 6}}},
    {"flower_pot", 1, true, {{"brick", 3}}},
    {"glass_pane", 16, true, {{"glass", 6}}},
    {"snow_block", 1, false, {{"snowball", 4}}},
    {"bucket", 1, true, {{"iron_ingot", 3}}},
    {"shears", 1, false, {{"iron_ingot", 2}}},
    {"shield", 1, true, {{"any planks", 6}, {"iron_ingot", 1}}},
    {"flint_and_steel", 1, false, {{"iron_ingot", 1}, {"flint", 1}}},
    {"iron_bars", 16, true, {{"iron_ingot", 6}}},
    {"iron_door", 3, true, {{"iron_ingot", 6}}},
    {"iron_trapdoor", 1, false, {{"iron_ingot", 4}}},
    {"chain", 1, true, {{"iron_ingot", 1}, {"iron_nugget", 2}}},
    {"lantern", 1, true, {{"iron_nugget", 8}, {"torch", 1}}},
    {"anvil", 1, true, {{"iron_block", 3}, {"iron_ingot", 4}}},
    {"cauldron", 1, true, {{"iron_ingot", 7}}},
    {"hopper", 1, true, {{"iron_ingot", 5}, {"chest", 1}}},
    {"minecart", 1, true, {{"iron_ingot", 5}}},
    {"rail", 16, true, {{"iron_ingot", 6}, {"stick", 1}}},
    {"lever", 1, false, {{"cobblestone", 1}, {"stick", 1}}},
    {"redstone_torch", 1, false, {{"redstone", 1}, {"stick", 1}}},
    {"compass", 1, true, {{"iron_ingot", 4}, {"redstone", 1}}},
    {"clock", 1, true, {{"gold_ingot", 4}, {"redstone", 1}}},
    {"map", 1, true, {{"paper", 8}, {"compass", 1}}},
    {"spyglass", 1, true, {{"copper_ingot", 2}, {"glass", 1}}},
    {"golden_apple", 1, true, {{"gold_ingot", 8}, {"apple", 1}}},
    {"bow", 1, true, {{"stick", 3}, {"string", 3}}},
    {"crossbow", 1, true, {{"stick", 3}, {"string", 2}, {"iron_ingot", 2}}},
    {"arrow", 4, true, {{"flint", 1}, {"stick", 1}, {"feather", 1}}},
    {"fishing_rod", 1, true, {{"stick", 3}, {"string", 2}}},
    {"white_wool", 1, false, {{"string", 4}}},
    {"white_carpet", 3, false, {{"white_wool", 2}}},
    {"white_bed", 1, true, {{"white_wool", 3}, {"any planks", 3}}},
    {"painting", 1, true, {{"stick", 8}, {"white_wool", 1}}},
    {"item_frame", 1, true, {{"stick", 8}, {"leather", 1}}},
    {"leather", 1, false, {{"rabbit_hide", 4}}},
    {"loom", 1, true, {{"string", 2}, {"any planks", 2}}},
    {"composter", 1, true, {{"any slab", 7}}},
    {"sugar", 1, false, {{"sugar_cane", 1}}},
    {"paper", 3, true, {{"sugar_cane", 3}}},
    {"book", 1, false, {{"paper", 3}, {"leather", 1}}},
    {"bookshelf", 1, true, {{"any planks", 6}, {"book", 3}}},
    {"lectern", 1, true, {{"any slab", 4}, {"bookshelf", 1}}},
    {"cartography_table", 1, true, {{"paper", 2}, {"any planks", 4}}},
    {"fletching_table", 1, true, {{"flint", 2}, {"any planks", 4}}},
    {"smithing_table", 1, true, {{"iron_ingot", 2}, {"any planks", 4}}},
    {"note_block", 1, true, {{"any planks", 8}, {"redstone", 1}}},
    {"jukebox", 1, true, {{"any planks", 8}, {"diamond", 1}}},
    {"bread", 1, true, {{"wheat", 3}}},
    {"hay_block", 1, true, {{"wheat", 9}}},
    {"wheat", 9, false, {{"hay_block", 1}}},
    {"mushroom_stew", 1, false, {{"brown_mushroom", 1}, {"red_mushroom", 1}, {"bowl", 1}}},
    {"pumpkin_pie", 1, false, {{"pumpkin", 1}, {"sugar", 1}, {"egg", 1}}},
    {"pumpkin_seeds", 4, false, {{"pumpkin", 1}}},
    {"jack_o_lantern", 1, false, {{"pumpkin", 1}, {"torch", 1}}},
    {"dried_kelp_block", 1, true, {{"dried_kelp", 9}}},
    {"dried_kelp", 9, false, {{"dried_kelp_block", 1}}},
    {"bone_meal", 3, false, {{"bone", 1}}},
    {"bone_block", 1, true, {{"bone_meal", 9}}},
    {"white_dye", 1, false, {{"bone_meal", 1}}},
    {"yellow_dye", 1, false, {{"dandelion", 1}}},
    {"red_dye", 1, false, {{"poppy", 1}}},
    {"blue_dye", 1, false, {{"lapis_lazuli", 1}}},
    {"tnt", 1, true, {{"gunpowder", 5}, {"sand", 4}}},
};

std::vector<Recipe> make_recipes() {
  std::vector<Recipe> all;
  add_woods(all);
  add_equipment(all);
  add_storage(all);
  for (const Row& row : kRows) all.push_back(recipe(row.makes, row.count, row.table, row.needs));
  return all;
}

constexpr std::pair<std::string_view, std::string_view> kSmelting[] = {
    {"raw_iron", "iron_ingot"},
    {"raw_gold", "gold_ingot"},
    {"raw_copper", "copper_ingot"},
    {"sand", "glass"},
    {"cobblestone", "stone"},
    {"stone", "smooth_stone"},
    {"clay_ball", "brick"},
    {"clay", "terracotta"},
    {"oak_log", "charcoal"},
    {"birch_log", "charcoal"},
    {"spruce_log", "charcoal"},
    {"acacia_log", "charcoal"},
    {"cactus", "green_dye"},
    {"kelp", "dried_kelp"},
    {"sandstone", "smooth_sandstone"},
    {"stone_bricks", "cracked_stone_bricks"},
    {"beef", "cooked_beef"},
    {"porkchop", "cooked_porkchop"},
    {"mutton", "cooked_mutton"},
    {"chicken", "cooked_chicken"},
    {"rabbit", "cooked_rabbit"},
};

}  // namespace

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all = make_recipes();
  return all;
}

std::vector<const Recipe*> recipes_of(ItemId item) {
  std::vector<const Recipe*> found;
  for (const Recipe& each : recipes())
    if (each.makes == item) found.push_back(&each);
  return found;
}

std::optional<ItemId> smelted(ItemId item) {
  static const std::map<ItemId, ItemId> all = [] {
    std::map<ItemId, ItemId> map;
    for (const auto& [from, to] : kSmelting) map.emplace(item_of(from), item_of(to));
    return map;
  }();
  const auto found = all.find(item);
  return found == all.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace caravel::mini
