#include "mini/observing.h"

#include <fmt/format.h>

#include <algorithm>

#include "mini/passing.h"
#include "mini/sight.h"

namespace caravel::mini {
namespace {

constexpr int kBlocksWithin = 8, kEntitiesWithin = 32;

std::vector<std::string> kinds_near(const Game& game) {
  std::vector<Block> all;
  for (size_t i = 1; i < blocks().size(); ++i) all.push_back(static_cast<Block>(i));
  std::vector<std::string> kinds;
  for (const Cell& cell : find_blocks(game, all, kBlocksWithin, 1 << 20)) {
    const std::string& name = info(game.terrain.at(cell)).name;
    if (std::find(kinds.begin(), kinds.end(), name) == kinds.end()) kinds.push_back(name);
  }
  return kinds;
}

std::map<std::string, int64_t> spelled(const Counts& counts) {
  std::map<std::string, int64_t> all;
  const auto add = [&](std::string_view what, const auto& map) {
    for (const auto& [key, count] : map) all[fmt::format("{}:{}", what, info(key).name)] += count;
  };
  add("mined", counts.mined);
  add("crafted", counts.crafted);
  add("smelted", counts.smelted);
  add("placed", counts.placed);
  add("eaten", counts.eaten);
  add("killed", counts.killed);
  return all;
}

}  // namespace

voyager::Observation observe(const Game& game) {
  const Player& player = game.player;
  voyager::Observation seen;
  seen.tick = game.tick;
  seen.biome = name_of(game.terrain.biome(player.at.x, player.at.z));
  seen.time_of_day = time_of_day(game.tick);
  seen.health = player.health;
  seen.food = player.food;
  seen.position = {static_cast<double>(player.at.x), static_cast<double>(player.at.y),
                   static_cast<double>(player.at.z)};
  seen.inventory = player.items.by_name();
  seen.slots_used = player.items.used();
  seen.slots = kSlots;
  if (player.hand != kNoItem) seen.equipment["hand"] = info(player.hand).name;
  for (int i = 1; i < kWears; ++i)
    if (const Stack& worn = player.worn[static_cast<size_t>(i)]; worn.count > 0)
      seen.equipment[std::string(kWearNames[i])] = info(worn.item).name;
  seen.nearby_blocks = kinds_near(game);
  for (const Creature* creature : creatures_seen(game, kEntitiesWithin))
    seen.nearby_entities.push_back({std::string(info(creature->kind).name), distance_to(game, *creature)});
  for (const Cell& cell : game.opened) {
    const auto chest = game.chests.find(cell);
    seen.chests[fmt::format("({}, {}, {})", cell.x, cell.y, cell.z)] =
        chest == game.chests.end() ? std::map<std::string, int>() : chest->second.by_name();
  }
  seen.counts = spelled(game.counts);
  return seen;
}

}  // namespace caravel::mini
