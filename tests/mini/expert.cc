#include "mini/expert.h"

#include <array>
#include <numeric>

namespace caravel::mini {
namespace {

const std::vector<std::string> kLogs = {"oak_log", "birch_log", "spruce_log", "acacia_log"};
const std::vector<std::string> kPlanks = {"oak_planks", "birch_planks", "spruce_planks", "acacia_planks"};

}  // namespace

Json Expert::call(std::string_view name, const Json& arguments) {
  Json answer = world_.call(name, arguments);
  if (!answer.contains("error")) return answer["value"];
  trouble_ = std::string(name) + ": " + answer["error"].get<std::string>();
  return nullptr;
}

int Expert::have(const std::string& item) { return call("inventory", Json::array()).value(item, 0); }

int Expert::have_any(const std::vector<std::string>& items) {
  return std::accumulate(items.begin(), items.end(), 0,
                         [&](int sum, const std::string& item) { return sum + have(item); });
}

void Expert::note(const std::string& item) {
  if (have(item) > 0) milestones_.emplace_back(item, world_.tick());
}

/// Eats what there is, and fights who is near enough to.
bool Expert::stay_alive() {
  for (int i = 0; i < 40; ++i) {
    const Json near = call("findEntities", {{"zombie", "skeleton", "spider", "creeper"}, 4});
    if (near.empty()) break;
    for (const char* sword : {"iron_sword", "stone_sword", "wooden_sword"})
      if (have(sword) > 0) {
        call("equip", {sword});
        break;
      }
    if (call("attack", {near[0]["id"]}).is_null()) call("goTo", {near[0]["x"], near[0]["y"], near[0]["z"], 2});
  }
  if (call("food", Json::array()).get<int>() < 12)
    for (const char* food :
         {"cooked_beef", "beef", "porkchop", "mutton", "chicken", "apple", "sweet_berries", "rotten_flesh"})
      if (have(food) > 0) call("eat", {food});
  return true;
}

bool Expert::find_and_dig(const std::vector<std::string>& blocks) {
  const Json found = call("findBlocks", {blocks, 64, 12});
  for (const Json& block : found) {
    stay_alive();
    if (call("goTo", {block["x"], block["y"], block["z"], 3}).is_null()) continue;
    const Json at = call("position", Json::array());
    if (at["x"] == block["x"] && at["z"] == block["z"] && at["y"] > block["y"]) continue;  // what it stands on
    if (call("dig", {block["x"], block["y"], block["z"]}).is_object()) return true;
  }
  return false;
}

bool Expert::mine(const std::vector<std::string>& blocks, const std::vector<std::string>& items, int count,
                  std::optional<int> depth) {
  while (have_any(items) < count) {
    if (out_of_time() || !ready_for(blocks)) return false;
    if (find_and_dig(blocks)) continue;
    stay_alive();
    if (depth) go_down_to(*depth);
    const int x[] = {1, 0, -1, 0}, z[] = {0, 1, 0, -1};
    if (call("explore", {x[turn_ % 4], 0, z[turn_ % 4], 200}).is_null()) ++turn_;
  }
  return true;
}

bool Expert::ready_for(const std::vector<std::string>& blocks) {
  if (blocks.front() == "diamond_ore") return ready("iron_pickaxe");
  if (blocks.front() == "iron_ore") return ready("stone_pickaxe");
  return blocks.front() != "stone" || ready("wooden_pickaxe");
}

bool Expert::make_sticks_and_planks(int planks, int sticks) {
  while (have("stick") < sticks || have_any(kPlanks) < planks) {
    if (have("stick") < sticks && have_any(kPlanks) >= 2) {
      if (call("craft", {"stick", 4}).is_null()) return false;
      continue;
    }
    bool made = false;
    for (size_t i = 0; i < kLogs.size() && !made; ++i)
      if (have(kLogs[i]) > 0) made = !call("craft", {kPlanks[i], 4}).is_null();
    if (!made) return false;
  }
  return true;
}

bool Expert::set_down(const std::string& item) {
  const Json near = call("findBlocks", {item, 4, 1});
  if (!near.empty() && !call("goTo", {near[0]["x"], near[0]["y"], near[0]["z"], 2}).is_null()) return true;
  const Json at = call("position", Json::array());
  for (const auto& [dx, dy, dz] :
       {std::array{1, 0, 0}, {-1, 0, 0}, {0, 0, 1}, {0, 0, -1}, {1, 1, 0}, {-1, 1, 0}, {0, 1, 1}, {0, 1, -1}}) {
    const Json arguments = {item, at["x"].get<int>() + dx, at["y"].get<int>() + dy, at["z"].get<int>() + dz};
    if (!call("place", arguments).is_null()) return true;
  }
  // Walled in: a block of the wall makes room.
  const int x = at["x"].get<int>(), y = at["y"].get<int>(), z = at["z"].get<int>();
  for (const auto& [dx, dz] : {std::pair{1, 0}, {-1, 0}, {0, 1}, {0, -1}})
    if (!call("dig", {x + dx, y, z + dz}).is_null() && !call("place", {item, x + dx, y, z + dz}).is_null()) return true;
  return false;
}

void Expert::take_back(const std::string& item) {
  const Json near = call("findBlocks", {item, 4, 1});
  if (!near.empty()) call("dig", {near[0]["x"], near[0]["y"], near[0]["z"]});
}

bool Expert::craft(const std::string& item, int count) {
  const Json recipe = call("recipe", {item});
  if (recipe.is_null()) return false;
  if (recipe["table"].get<bool>() && !set_down("crafting_table")) return false;
  const bool made = !call("craft", {item, count}).is_null();
  if (recipe["table"].get<bool>()) take_back("crafting_table");
  if (made) note(item);
  return made;
}

bool Expert::smelt(const std::string& item, int count) {
  if (!set_down("furnace")) return false;
  bool made = false;
  for (const std::string fuel : {"coal", "charcoal", "oak_planks", "birch_planks", "spruce_planks", "acacia_planks",
                                 "oak_log", "birch_log", "spruce_log", "acacia_log"})
    if (!made && have(fuel) > 0) made = !call("smelt", {item, fuel, count}).is_null();
  take_back("furnace");
  return made;
}

bool Expert::go_down_to(int y) {
  for (int i = 0; i < 12; ++i) {
    const Json at = call("position", Json::array());
    if (at["y"].get<int>() <= y) return true;
    stay_alive();
    const int lower = std::max(y, at["y"].get<int>() - 12);
    if (call("goTo", {at["x"].get<int>() + i % 3, lower, at["z"].get<int>() + i / 3, 1}).is_null())
      call("explore", {1, 0, i % 2, 60});
    if (out_of_time()) return false;
  }
  return call("position", Json::array())["y"].get<int>() <= y + 2;
}

bool Expert::ready(const std::string& pickaxe) {
  if (have(pickaxe) > 0) return true;
  if (pickaxe == "wooden_pickaxe") {
    if (have("stone_pickaxe") > 0) return true;
    return mine(kLogs, kLogs, 12) && make_sticks_and_planks(16, 24) &&
           (have("crafting_table") > 0 || craft("crafting_table", 1)) && craft(pickaxe, 1);
  }
  if (pickaxe == "stone_pickaxe")
    return mine({"stone", "cobblestone"}, {"cobblestone"}, 3) && make_sticks_and_planks(0, 2) && craft(pickaxe, 1);
  return mine({"iron_ore"}, {"raw_iron"}, 3, 24) && (have("furnace") > 0 || craft("furnace", 1)) &&
         smelt("raw_iron", 3) && make_sticks_and_planks(0, 2) && craft(pickaxe, 1);
}

bool Expert::reach_diamond_pickaxe(int64_t most_ticks) {
  most_ticks_ = most_ticks;
  return ready("wooden_pickaxe") && mine({"stone", "cobblestone"}, {"cobblestone"}, 20) && ready("stone_pickaxe") &&
         craft("stone_sword", 1) && craft("furnace", 1) && ready("iron_pickaxe") &&
         mine({"diamond_ore"}, {"diamond"}, 3, 8) && craft("diamond_pickaxe", 1);
}

}  // namespace caravel::mini
