#include <gtest/gtest.h>

#include "mini/world.h"

namespace caravel::mini {
namespace {

struct Case {
  const char* task;
  std::map<std::string, int64_t> counts;
  std::map<std::string, int> inventory;
  std::optional<bool> done;
};

TEST(CheckTask, ReadsTasksAsTheyAreWritten) {
  const Case cases[] = {
      {"Mine 3 wood log", {{"mined:oak_log", 2}, {"mined:birch_log", 1}}, {}, true},
      {"Mine 3 wood logs", {{"mined:oak_log", 2}}, {}, false},
      {"mine a log.", {{"mined:spruce_log", 1}}, {}, true},
      {"Mine 5 cobblestone", {{"mined:stone", 5}}, {}, true},
      {"Mine three raw iron", {{"mined:iron_ore", 3}}, {}, true},
      {"Mine 1 iron ore", {{"mined:iron_ore", 1}}, {}, true},
      {"Mine 1 iron ore with a stone pickaxe", {{"mined:stone", 1}}, {}, false},
      {"Mine 2 diamonds", {{"mined:diamond_ore", 2}}, {}, true},
      {"Craft 1 stone pickaxe", {{"crafted:stone_pickaxe", 1}}, {}, true},
      {"Craft an iron pickaxe", {{"crafted:stone_pickaxe", 1}}, {}, false},
      {"craft a gold sword", {{"crafted:golden_sword", 1}}, {}, true},
      {"Craft 8 planks", {{"crafted:birch_planks", 4}, {"crafted:oak_planks", 4}}, {}, true},
      {"Craft 4 wooden planks", {{"crafted:oak_planks", 4}}, {}, true},
      {"Craft 4 sticks", {{"crafted:stick", 4}}, {}, true},
      {"Craft 4 torches", {{"crafted:torch", 4}}, {}, true},
      {"Craft a bed", {{"crafted:white_bed", 1}}, {}, true},
      {"Craft 1 diamond", {}, {}, false},
      {"Smelt 4 raw iron", {{"smelted:iron_ingot", 4}}, {}, true},
      {"Smelt 4 iron ingots", {{"smelted:iron_ingot", 3}}, {}, false},
      {"Cook 2 raw beef", {{"smelted:cooked_beef", 2}}, {}, true},
      {"Cook 1 mutton in a furnace", {{"smelted:cooked_mutton", 1}}, {}, true},
      {"Kill 2 pigs", {{"killed:pig", 2}}, {}, true},
      {"Kill 1 zombie", {{"killed:pig", 2}}, {}, false},
      {"Kill 1 monster", {{"killed:spider", 1}}, {}, true},
      {"Place 1 furnace", {{"placed:furnace", 1}}, {}, true},
      {"Eat 1 apple", {{"eaten:apple", 1}}, {}, true},
      {"Eat cooked beef", {{"eaten:apple", 1}}, {}, false},
      {"Obtain 1 oak_log", {}, {{"oak_log", 1}}, true},
      {"Obtain 3 coal", {}, {{"coal", 2}}, false},
      {"Collect 3 pieces of coal", {}, {{"coal", 3}}, true},
      {"Equip iron helmet", {}, {}, false},
      {"Mine 3 wood log and craft a table", {{"mined:oak_log", 3}}, {}, std::nullopt},
      {"Explore the cave", {}, {}, std::nullopt},
      {"Build a house", {}, {}, std::nullopt},
      {"Mine 3 unobtainium", {}, {}, std::nullopt},
      {"Kill 1 ender dragon", {}, {}, std::nullopt},
      {"Deposit useless items into the chest at (1, 2, 3)", {}, {}, std::nullopt},
      {"Mine", {}, {}, std::nullopt},
      {"", {}, {}, std::nullopt},
      {"Mine 99999999999999999999 logs", {}, {}, std::nullopt},
      {"Mine 2000000000 dozen logs", {}, {}, std::nullopt},
      {"Mine 999999 dozen dozen dozen dozen dozen logs", {{"mined:oak_log", 5}}, {}, false},
      {"Mine 2 dozen logs", {{"mined:oak_log", 24}}, {}, true},
  };
  for (const Case& each : cases) {
    voyager::Observation before, after;
    after.counts = each.counts;
    after.inventory = each.inventory;
    EXPECT_EQ(check_task(each.task, before, after), each.done) << each.task;
  }
}

TEST(CheckTask, CountsWhatWasDoneSinceBefore) {
  voyager::Observation before, after;
  before.counts["mined:oak_log"] = 5;
  after.counts["mined:oak_log"] = 7;
  EXPECT_EQ(check_task("Mine 3 wood log", before, after), false);
  after.counts["mined:oak_log"] = 8;
  EXPECT_EQ(check_task("Mine 3 wood log", before, after), true);
  after.equipment["head"] = "iron_helmet";
  EXPECT_EQ(check_task("Equip an iron helmet", before, after), true);
}

TEST(CheckTask, WhoTopsUpToTheNumberHasDoneIt) {
  voyager::Observation before, after;
  before.inventory["coal"] = after.inventory["coal"] = 3;
  for (const char* task : {"Collect 3 coal", "Obtain 3 coal", "Mine 3 coal"})
    EXPECT_EQ(check_task(task, before, after), false) << task;
  after.inventory["coal"] = 4;
  after.counts["mined:coal_ore"] = 1;
  for (const char* task : {"Collect 3 coal", "Obtain 3 coal", "Mine 3 coal"})
    EXPECT_EQ(check_task(task, before, after), true) << task;
  EXPECT_EQ(check_task("Mine 5 coal", before, after), false);
  before.inventory["oak_planks"] = 4;
  after.inventory["oak_planks"] = 8;
  after.counts["crafted:oak_planks"] = 4;
  EXPECT_EQ(check_task("Craft 8 planks", before, after), true);
  EXPECT_EQ(check_task("Craft 12 planks", before, after), false);
}

}  // namespace
}  // namespace caravel::mini
