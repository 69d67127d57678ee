#include <algorithm>

#include "mini/arguments.h"
#include "mini/calls.h"
#include "mini/crafting.h"
#include "mini/passing.h"
#include "mini/sight.h"

namespace caravel::mini {
namespace {

Json block_at(Game& game, const Arguments& arguments) { return info(game.terrain.at(arguments.cell(0))).name; }

Json look_for_blocks(Game& game, const Arguments& arguments) {
  std::vector<Block> kinds;
  for (const std::string& name : arguments.names(0, "names")) {
    const std::vector<Block> named = blocks_asked(name);
    kinds.insert(kinds.end(), named.begin(), named.end());
  }
  const int far = arguments.whole_or(1, "maxDistance", 0, 1'000'000, 32);
  const int most = arguments.whole_or(2, "count", 0, 1'000'000, 1);
  Json found = Json::array();
  for (const Cell& cell : find_blocks(game, kinds, far, std::min(most, 1024))) {
    found.push_back(to_json(cell));
    found.back()["name"] = info(game.terrain.at(cell)).name;
  }
  return found;
}

Json find_entities(Game& game, const Arguments& arguments) {
  std::vector<Kind> kinds;
  if (arguments.has(0))
    for (const std::string& name : arguments.names(0, "names")) kinds.push_back(kind_asked(name));
  const int far = arguments.whole_or(1, "maxDistance", 0, 1'000'000, 32);
  Json found = Json::array();
  for (const Creature* creature : creatures_seen(game, std::min(far, kFarthest))) {
    if (!kinds.empty() && std::find(kinds.begin(), kinds.end(), creature->kind) == kinds.end()) continue;
    found.push_back({{"id", creature->id},
                     {"name", info(creature->kind).name},
                     {"x", creature->at.x},
                     {"y", creature->at.y},
                     {"z", creature->at.z},
                     {"distance", distance_to(game, *creature)},
                     {"health", creature->health}});
  }
  return found;
}

/// How it is made: of what, how many at once, and where. A thing that a furnace makes says so.
Json recipe_of(Game& game, const Arguments& arguments) {
  const ItemId item = arguments.item(0, "item");
  const Inventory& inventory = game.player.items;
  for (size_t i = 0; i < items().size(); ++i)
    if (smelted(static_cast<ItemId>(i)) == item)
      return {{"needs", {{items()[i].name, 1}}}, {"makes", 1}, {"table", false}, {"furnace", true}};
  const std::vector<const Recipe*> found = recipes_of(item);
  if (found.empty()) throw Refused{"there is no recipe for " + info(item).name};
  const Recipe& recipe = *found.front();
  Json needs = Json::object();
  for (const Ingredient& need : recipe.needs) needs[info(spelled_by(need, inventory)).name] = need.count;
  return {{"needs", needs}, {"makes", recipe.count}, {"table", recipe.table}, {"furnace", false}};
}

constexpr NamedCall kLooks[] = {
    {"position", [](Game& game, const Arguments&) { return to_json(game.player.at); }},
    {"inventory", [](Game& game, const Arguments&) { return to_json(game.player.items); }},
    {"health", [](Game& game, const Arguments&) { return Json(game.player.health); }},
    {"food", [](Game& game, const Arguments&) { return Json(game.player.food); }},
    {"biome", [](Game& game,
                 const Arguments&) { return Json(name_of(game.terrain.biome(game.player.at.x, game.player.at.z))); }},
    {"timeOfDay", [](Game& game, const Arguments&) { return Json(time_of_day(game.tick)); }},
    {"tick", [](Game& game, const Arguments&) { return Json(game.tick); }},
    {"heldItem",
     [](Game& game, const Arguments&) {
       return game.player.hand == kNoItem ? Json() : Json(info(game.player.hand).name);
     }},
    {"blockAt", block_at},
    {"findBlocks", look_for_blocks},
    {"findEntities", find_entities},
    {"recipe", recipe_of},
};

}  // namespace

Json to_json(const Cell& cell) { return {{"x", cell.x}, {"y", cell.y}, {"z", cell.z}}; }

Json to_json(const Inventory& inventory) { return inventory.by_name(); }

Call look_named(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kLooks), std::end(kLooks), [&](const NamedCall& look) { return look.name == name; });
  return found == std::end(kLooks) ? nullptr : found->call;
}

}  // namespace caravel::mini
