#include "mini/crafting.h"

#include <gtest/gtest.h>

#include "mini/passing.h"

namespace caravel::mini {
namespace {

class CraftingTest : public testing::Test {
 protected:
  CraftingTest() : game_(1) {
    begin(game_);
    game_.creatures.clear();
    game_.terrain.set(game_.player.at + Cell{1, 0, 0}, Block::kFurnace);
    game_.terrain.set(game_.player.at + Cell{-1, 0, 0}, Block::kCraftingTable);
  }
  void fill() { items_.add(item_of("cobblestone"), 64 * kSlots); }

  Game game_;
  Inventory& items_ = game_.player.items;
};

TEST_F(CraftingTest, WhatComesOutOfAFurnaceHasRoom) {
  const ItemId iron = item_of("raw_iron"), coal = item_of("coal"), ingot = item_of("iron_ingot");
  items_.add(iron, 20);
  items_.add(coal, 64);
  fill();
  EXPECT_THROW(smelt(game_, iron, coal, 20), Refused) << "the place of the iron is free when the last is gone";
  EXPECT_EQ(items_.count(iron), 20);
  EXPECT_EQ(items_.count(coal), 64);
  items_.take(coal, 61);
  EXPECT_EQ(smelt(game_, iron, coal, 20).count, 20) << "that of the coal at once";
  EXPECT_EQ(items_.count(ingot), 20);
}

TEST_F(CraftingTest, WhatIsRefusedHasChangedNothing) {
  const ItemId planks = item_of("oak_planks"), stick = item_of("stick"), pickaxe = item_of("wooden_pickaxe");
  items_.add(planks, 6);
  items_.add(stick, 64);
  fill();
  game_.player.hand = planks;
  EXPECT_THROW(craft(game_, pickaxe, 2), Refused) << "there is room for one";
  EXPECT_EQ(items_.count(planks), 6);
  EXPECT_EQ(items_.count(stick), 64);
  EXPECT_EQ(game_.player.hand, planks);
}

}  // namespace
}  // namespace caravel::mini
