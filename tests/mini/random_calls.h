#pragma once

#include "mini/random.h"
#include "mini/world.h"

namespace caravel::mini {

/// One call as code might make it: mostly sensible ones around the player, some that are not.
inline std::pair<std::string, Json> random_call(Random& random, World& world) {
  const Json at = world.call("position", Json::array())["value"];
  const auto near = [&](const char* axis, int far) { return at[axis].get<int>() + random.between(-far, far); };
  const auto pick = [&](std::initializer_list<const char*> names) {
    return Json(*(names.begin() + random.below(static_cast<int>(names.size()))));
  };
  const auto item = [&] {
    return pick({"oak_log",        "birch_log",      "spruce_log", "oak_planks",  "stick",
                 "crafting_table", "wooden_pickaxe", "dirt",       "cobblestone", "stone_pickaxe",
                 "furnace",        "chest",          "torch",      "wooden_hoe",  "wheat_seeds",
                 "oak_sapling",    "sand",           "bucket",     "beef",        "nonsense"});
  };
  switch (random.below(22)) {
    case 0:
      return {"goTo", {near("x", 12), near("y", 4), near("z", 12), random.below(3)}};
    case 1:
      return {"explore", {random.between(-1, 1), random.between(-1, 1), random.between(-1, 1), random.below(100)}};
    case 2:
    case 3:
    case 4:
      return {"dig", {near("x", 3), near("y", 3), near("z", 3)}};
    case 5:
    case 6:
      return {"place", {item(), near("x", 3), near("y", 2), near("z", 3)}};
    case 7:
      return {"craft", {item(), random.below(6)}};
    case 8:
      return {"smelt", {item(), item(), random.below(4)}};
    case 9:
      return {"attack", {random.below(40)}};
    case 10:
      return {"eat", {item()}};
    case 11:
      return {"equip", {item()}};
    case 12:
      return {"toss", {item(), random.below(3)}};
    case 13:
      return {"deposit", {near("x", 3), near("y", 2), near("z", 3), item(), random.below(3)}};
    case 14:
      return {"withdraw", {near("x", 3), near("y", 2), near("z", 3), item(), random.below(3)}};
    case 15:
      return {"wait", {random.below(200)}};
    case 16:
      return {"sleep", Json::array()};
    case 17: {
      const Json logs =
          world.call("findBlocks", {{"oak_log", "birch_log", "spruce_log", "acacia_log", "stone"}, 32, 1})["value"];
      if (logs.empty()) return {"explore", {1, 0, 0, 100}};
      return {"goTo", {logs[0]["x"], logs[0]["y"], logs[0]["z"], 3}};
    }
    case 18: {
      const Json logs = world.call("findBlocks", {{"oak_log", "birch_log", "spruce_log", "acacia_log"}, 4, 1})["value"];
      if (logs.empty()) return {"findEntities", {nullptr, 32}};
      return {"dig", {logs[0]["x"], logs[0]["y"], logs[0]["z"]}};
    }
    case 19:
      return {
          "craft",
          {pick({"oak_planks", "birch_planks", "spruce_planks", "stick", "crafting_table", "wooden_pickaxe", "chest"}),
           1}};
    case 20:
      return {"findBlocks", {{"stone", "coal_ore", "grass_block"}, random.below(64), random.below(20)}};
    default:
      return {"openChest", {near("x", 3), near("y", 2), near("z", 3)}};
  }
}

}  // namespace caravel::mini
