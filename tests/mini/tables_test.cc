#include <gtest/gtest.h>

#include <set>

#include "mini/digging.h"
#include "mini/obtainable.h"
#include "mini/recipes.h"

namespace caravel::mini {
namespace {

TEST(Tables, EveryDropAndEveryLootIsAnItem) {
  for (const BlockInfo& block : blocks())
    EXPECT_TRUE(block.drop.empty() || item_named(block.drop)) << block.name << " gives " << block.drop;
  for (int i = 0; i < kKinds; ++i)
    for (const Loot& loot : info(static_cast<Kind>(i)).loot) EXPECT_TRUE(item_named(loot.item)) << loot.item;
}

TEST(Tables, NoRecipeMakesSomethingOfNothing) {
  for (const Recipe& recipe : recipes()) {
    EXPECT_FALSE(recipe.needs.empty()) << info(recipe.makes).name;
    int parts = 0;
    for (const Ingredient& need : recipe.needs) {
      EXPECT_GT(need.count, 0);
      parts += need.count;
    }
    // Nine places on a table, four in the hands.
    EXPECT_LE(parts, recipe.table ? 9 : 4) << info(recipe.makes).name;
  }
}

TEST(Tables, StorageGivesBackWhatItTook) {
  for (const char* block : {"iron_block", "coal_block", "diamond_block", "hay_block"}) {
    const Recipe& in = *recipes_of(item_of(block)).front();
    bool back = false;
    for (const Recipe* out : recipes_of(in.needs[0].any[0]))
      back = back || (out->needs[0].any[0] == item_of(block) && out->count == in.needs[0].count);
    EXPECT_TRUE(back) << block;
  }
}

TEST(Tables, TiersGateDrops) {
  const auto gives = [](const char* block, const char* tool) {
    return gives_drop(*block_named(block), tool ? item_of(tool) : kNoItem);
  };
  EXPECT_TRUE(gives("oak_log", nullptr));
  EXPECT_FALSE(gives("stone", nullptr));
  EXPECT_FALSE(gives("stone", "wooden_axe"));
  EXPECT_TRUE(gives("stone", "wooden_pickaxe"));
  EXPECT_FALSE(gives("iron_ore", "wooden_pickaxe"));
  EXPECT_FALSE(gives("iron_ore", "golden_pickaxe"));
  EXPECT_TRUE(gives("iron_ore", "stone_pickaxe"));
  EXPECT_FALSE(gives("diamond_ore", "stone_pickaxe"));
  EXPECT_TRUE(gives("diamond_ore", "iron_pickaxe"));
  EXPECT_FALSE(gives("obsidian", "iron_pickaxe"));
  EXPECT_TRUE(gives("obsidian", "diamond_pickaxe"));
}

TEST(Tables, DiggingTakesMinecraftsTicks) {
  const auto ticks = [](const char* block, const char* tool) {
    return dig_ticks(*block_named(block), tool ? item_of(tool) : kNoItem);
  };
  EXPECT_EQ(ticks("oak_log", nullptr), 60);
  EXPECT_EQ(ticks("stone", nullptr), 150);
  EXPECT_EQ(ticks("stone", "wooden_pickaxe"), 23);
  EXPECT_EQ(ticks("stone", "iron_pickaxe"), 8);
  EXPECT_EQ(ticks("obsidian", "diamond_pickaxe"), 188);
  EXPECT_EQ(ticks("bedrock", "diamond_pickaxe"), std::nullopt);
}

TEST(Tables, MostOfWhatThereIsCanBeHad) {
  const std::vector<std::string>& all = obtainable_items();
  EXPECT_GE(all.size(), 200u);
  const std::set<std::string> can(all.begin(), all.end());
  for (const char* item :
       {"diamond_pickaxe", "diamond_chestplate", "golden_apple", "white_bed", "bread", "obsidian", "enchanted_book"})
    EXPECT_EQ(can.contains(item), item != std::string_view("enchanted_book")) << item;
  // What only Minecraft's silk touch gives.
  std::set<std::string> never;
  for (const ItemInfo& item : items())
    if (!can.contains(item.name)) never.insert(item.name);
  EXPECT_EQ(never, (std::set<std::string>{"coal_ore", "copper_ore", "diamond_ore", "emerald_ore", "gold_ore",
                                          "grass_block", "iron_ore", "lapis_ore", "redstone_ore"}));
}

}  // namespace
}  // namespace caravel::mini
