#include "mini/world.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "random_calls.h"

namespace caravel::mini {
namespace {

int have(World& world, const std::string& item) {
  return world.call("inventory", Json::array())["value"].value(item, 0);
}

/// The nearest of these blocks, with the player beside it.
Json go_to_nearest(World& world, const Json& names) {
  for (int i = 0; i < 40; ++i) {
    const Json found = world.call("findBlocks", {names, 64, 8})["value"];
    for (const Json& block : found)
      if (world.call("goTo", {block["x"], block["y"], block["z"], 3}).contains("value")) return block;
    world.call("explore", {i % 2, 0, 1 - i % 2, 100});
  }
  return nullptr;
}

TEST(World, IsAFunctionOfItsSeedAndOfTheCalls) {
  World one(7), other(7);
  Random random(1), same(1);
  for (int i = 0; i < 400; ++i) {
    const auto [name, arguments] = random_call(random, one);
    const auto [name2, arguments2] = random_call(same, other);
    ASSERT_EQ(to_text(arguments), to_text(arguments2)) << name;
    ASSERT_EQ(to_text(one.call(name, arguments)), to_text(other.call(name2, arguments2))) << name << to_text(arguments);
    ASSERT_EQ(one.take_events(), other.take_events());
  }
  EXPECT_EQ(one.save(), other.save());
  EXPECT_EQ(one.observe(), other.observe());
  EXPECT_NE(one.save(), World(8).save());
}

TEST(World, GoesOnFromWhatWasSavedAtAnyTime) {
  auto world = std::make_unique<World>(11);
  World never_saved(11);
  Random random(2);
  for (int i = 0; i < 400; ++i) {
    const auto [name, arguments] = random_call(random, *world);
    ASSERT_EQ(to_text(world->call(name, arguments)), to_text(never_saved.call(name, arguments)))
        << i << name << to_text(arguments);
    if (i % 20 != 0) continue;
    const std::string bytes = world->save();
    world = World::load(bytes);
    ASSERT_EQ(world->save(), bytes);
  }
  EXPECT_EQ(world->save(), never_saved.save());
  EXPECT_EQ(world->map(128, std::nullopt).rgb, never_saved.map(128, std::nullopt).rgb);
}

TEST(World, KeepsItsPromisesUnderRandomCalls) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    World world(seed);
    Random random(seed);
    int64_t before = 0;
    for (int i = 0; i < 300; ++i) {
      const auto [name, arguments] = random_call(random, world);
      const Json answer = world.call(name, arguments);
      ASSERT_TRUE(answer.contains("value") != answer.contains("error")) << name;
      ASSERT_GE(world.tick(), before);
      before = world.tick();
      const voyager::Observation seen = world.observe();
      for (const auto& [item, count] : seen.inventory) ASSERT_GT(count, 0) << item << " after " << name;
      for (const auto& [what, count] : seen.counts) ASSERT_GE(count, 0) << what;
      ASSERT_GT(seen.health, 0);
      ASSERT_LE(seen.health, 20);
      ASSERT_GE(seen.food, 0);
      ASSERT_LE(seen.slots_used, seen.slots);
      // It is nowhere where it cannot be.
      const Json at = world.call("position", Json::array())["value"];
      ASSERT_NE(world.call("blockAt", {at["x"], at["y"], at["z"]})["value"], "stone");
    }
  }
}

TEST(World, WhatIsDugIsGotAndWhatIsPlacedIsThere) {
  World world(3);
  const Json log = go_to_nearest(world, {"oak_log", "birch_log", "spruce_log", "acacia_log"});
  ASSERT_TRUE(log.is_object());
  const std::string name = log["name"];
  const int before = have(world, name);
  const Json dug = world.call("dig", {log["x"], log["y"], log["z"]})["value"];
  EXPECT_EQ(dug["item"], name);
  EXPECT_EQ(dug["count"], 1);
  EXPECT_EQ(have(world, name), before + 1);
  EXPECT_EQ(world.observe().counts.at("mined:" + name), before + 1);
  EXPECT_EQ(world.call("blockAt", {log["x"], log["y"], log["z"]})["value"], "air");
  EXPECT_EQ(world.call("place", {name, log["x"], log["y"], log["z"]})["value"], name);
  EXPECT_EQ(world.call("blockAt", {log["x"], log["y"], log["z"]})["value"], name);
  EXPECT_EQ(have(world, name), before);
  EXPECT_EQ(world.observe().counts.at("placed:" + name), 1);
}

TEST(World, StoneGivesNothingToBareHands) {
  World world(3);
  const Json stone = go_to_nearest(world, "stone");
  ASSERT_TRUE(stone.is_object());
  const Json refused = world.call("dig", {stone["x"], stone["y"], stone["z"]});
  EXPECT_EQ(refused["error"], "stone gives nothing without a wooden_pickaxe or better: craft one first");
  EXPECT_EQ(have(world, "cobblestone"), 0);
}

TEST(World, SaysWhyNot) {
  World world(5);
  const auto why = [&](const char* name, const Json& arguments) {
    return world.call(name, arguments).value("error", "it did it");
  };
  EXPECT_EQ(why("craft", {"wooden_pickaxe", 1}),
            "cannot craft 1 wooden_pickaxe: 3 more oak_planks (or another of its kind), 2 more stick missing");
  EXPECT_EQ(why("craft", {"diamond", -1}), "craft: count (argument 2) has to be from 1 to 2304, but is -1");
  EXPECT_EQ(why("craft", {"wooden_pickax", 1}), "there is no item \"wooden_pickax\": did you mean wooden_pickaxe?");
  EXPECT_EQ(why("smelt", {"dirt", "coal", 1}), "dirt cannot be smelted");
  EXPECT_EQ(why("place", {"torch", 0, 40, 0}), "you have no torch");
  EXPECT_EQ(why("attack", {12345}), "there is no creature 12345 any more");
  EXPECT_EQ(why("eat", {"stick"}), "you have 0 stick, not 1");
  EXPECT_EQ(why("sleep", Json::array()), "sleeping needs a white_bed within 4.5 blocks: place one, or go to one");
  EXPECT_EQ(why("fly", {1, 2, 3}), "there is no call \"fly\"");
  EXPECT_EQ(why("goTo", {"there"}), "goTo: x (argument 1) has to be a number, but is a string");
}

TEST(World, TakesAnyArguments) {
  World world(9);
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const Json values[] = {nullptr,
                         true,
                         nan,
                         infinity,
                         -infinity,
                         1e300,
                         -1e300,
                         int64_t{1} << 62,
                         std::numeric_limits<uint64_t>::max(),
                         0.5,
                         -7,
                         "",
                         "oak_log",
                         std::string(100'000, 'x'),
                         "\xff\xfe",
                         Json::array(),
                         Json::object(),
                         {{"x", nan}, {"y", "up"}, {"z", nullptr}},
                         Json::array({1, {2}}),
                         {{"x", 1e9}, {"y", 1e9}, {"z", 1e9}}};
  const char* const names[] = {"position", "inventory", "blockAt", "findBlocks", "findEntities", "recipe",   "goTo",
                               "explore",  "dig",       "place",   "craft",      "smelt",        "attack",   "eat",
                               "equip",    "toss",      "sleep",   "openChest",  "deposit",      "withdraw", "wait",
                               "chat",     "",          "\n"};
  for (const char* name : names) {
    for (const Json& first : values)
      for (const Json& second : values) {
        const Json answer = world.call(name, Json::array({first, second, second, first, second}));
        ASSERT_TRUE(answer.contains("value") || answer.contains("error"));
        ASSERT_LT(answer.value("error", "").size(), 300u);
      }
    for (const Json& not_a_list : values) world.call(name, not_a_list);
  }
  const std::string bytes = world.save();
  EXPECT_EQ(World::load(bytes)->save(), bytes);
}

TEST(World, DeathKeepsWhatThePlayerHas) {
  World world(3);
  const Json log = go_to_nearest(world, {"oak_log", "birch_log", "spruce_log", "acacia_log"});
  ASSERT_TRUE(world.call("dig", {log["x"], log["y"], log["z"]}).contains("value"));
  const int before = have(world, log["name"]);
  // Nights in the open, until somebody comes.
  bool died = false;
  for (int i = 0; i < 400 && !died; ++i) {
    world.call("wait", {600});
    for (const voyager::Event& event : world.take_events()) died = died || event.kind == voyager::Event::Kind::kDeath;
  }
  ASSERT_TRUE(died);
  EXPECT_EQ(have(world, log["name"]), before);
  EXPECT_GT(world.observe().health, 0);
}

TEST(World, TellsOfAnItemOnce) {
  World world(3);
  const Json names = {"oak_log", "birch_log", "spruce_log", "acacia_log"};
  int told = 0;
  for (int i = 0; i < 3; ++i) {
    const Json log = go_to_nearest(world, names);
    ASSERT_TRUE(world.call("dig", {log["x"], log["y"], log["z"]}).contains("value"));
    for (const voyager::Event& event : world.take_events())
      told += event.kind == voyager::Event::Kind::kItem && event.text == log["name"];
  }
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace caravel::mini
