#include <fmt/format.h>

#include <algorithm>

#include "mini/acting.h"
#include "mini/arguments.h"
#include "mini/calls.h"
#include "mini/crafting.h"
#include "mini/digging.h"
#include "mini/passing.h"
#include "mini/walking.h"

namespace caravel::mini {
namespace {

constexpr int kMostItems = 64 * 36;
constexpr int kMostWait = 12'000;  // ticks of one call

Json call_go_to(Game& game, const Arguments& arguments) {
  const Cell goal = arguments.cell(0);
  go_to(game, goal, arguments.has(3) ? arguments.number(3, "range", 0, 1000) : 1);
  return to_json(game.player.at);
}

Json call_explore(Game& game, const Arguments& arguments) {
  const auto part = [&](size_t i, std::string_view name) {
    const double value = arguments.number(i, name, -1e9, 1e9);
    return value > 0 ? 1 : value < 0 ? -1 : 0;
  };
  const Cell direction = {part(0, "dx"), part(1, "dy"), part(2, "dz")};
  if (direction == Cell{}) throw Refused{"explore: the direction is 0, 0, 0"};
  explore(game, direction, arguments.whole(3, "ticks", 0, kMostWait));
  return to_json(game.player.at);
}

/// "iron_pickaxe or better".
std::string tool_needed(const BlockInfo& block) {
  constexpr std::string_view kTiers[] = {"", "wooden", "stone", "iron", "diamond"};
  constexpr std::string_view kTools[] = {"", "pickaxe", "axe", "shovel", "hoe", "sword", "shears"};
  return fmt::format("{}_{}{}", kTiers[static_cast<int>(block.tier)], kTools[static_cast<int>(block.tool)],
                     block.tier == Tier::kDiamond ? "" : " or better");
}

Json call_dig(Game& game, const Arguments& arguments) {
  const Cell cell = arguments.cell(0);
  const Block block = game.terrain.at(cell);
  const std::string place = fmt::format("{}, {}, {}", cell.x, cell.y, cell.z);
  if (!within_reach(game.player, cell)) throw Refused{fmt::format("{} is out of reach: get within 4.5 blocks", place)};
  if (block == Block::kAir) throw Refused{fmt::format("there is nothing at {}", place)};
  const ItemId best = best_tool(game.player.items, block);
  const bool shears = game.player.hand != kNoItem && info(game.player.hand).tool == Tool::kShears;
  if (best != kNoItem && !shears) game.player.hand = best;
  if (info(block).hardness >= 0 && !gives_drop(block, game.player.hand))
    throw Refused{
        fmt::format("{} gives nothing without a {}: craft one first", info(block).name, tool_needed(info(block)))};
  const Dug dug = dig(game, cell);
  Json value = {{"block", info(dug.block).name}, {"count", dug.count}};
  if (dug.item != kNoItem) value["item"] = info(dug.item).name;
  if (dug.lost > 0) value["lost"] = dug.lost;
  return value;
}

Json call_place(Game& game, const Arguments& arguments) {
  return place(game, arguments.item(0, "item"), arguments.cell(1));
}

Json call_craft(Game& game, const Arguments& arguments) {
  return craft(game, arguments.item(0, "item"), arguments.whole_or(1, "count", 1, kMostItems, 1));
}

Json call_smelt(Game& game, const Arguments& arguments) {
  const ItemId item = arguments.item(0, "item"), fuel = arguments.item(1, "fuel");
  return smelt(game, item, fuel, arguments.whole_or(2, "count", 1, 64, 1)).count;
}

Json call_attack(Game& game, const Arguments& arguments) {
  const Blow blow = attack(game, arguments.whole(0, "id", 0, 1 << 30));
  return {{"name", blow.name}, {"health", blow.health}, {"killed", blow.killed}};
}

Json call_eat(Game& game, const Arguments& arguments) {
  eat(game, arguments.item(0, "item"));
  return game.player.food;
}

Json call_equip(Game& game, const Arguments& arguments) {
  return kWearNames[static_cast<int>(equip(game, arguments.item(0, "item")))];
}

Json call_toss(Game& game, const Arguments& arguments) {
  const int count = arguments.whole_or(1, "count", 1, kMostItems, 1);
  toss(game, arguments.item(0, "item"), count);
  return count;
}

Json call_sleep(Game& game, const Arguments&) {
  sleep(game);
  return game.tick;
}

Json call_open_chest(Game& game, const Arguments& arguments) { return to_json(open_chest(game, arguments.cell(0))); }

Json call_deposit(Game& game, const Arguments& arguments) {
  const int count = arguments.whole_or(4, "count", 1, kMostItems, 1);
  deposit(game, arguments.cell(0), arguments.item(3, "item"), count);
  return count;
}

Json call_withdraw(Game& game, const Arguments& arguments) {
  const int count = arguments.whole_or(4, "count", 1, kMostItems, 1);
  withdraw(game, arguments.cell(0), arguments.item(3, "item"), count);
  return count;
}

Json call_wait(Game& game, const Arguments& arguments) {
  pass(game, arguments.whole(0, "ticks", 0, kMostWait), 0);
  return game.tick;
}

Json call_chat(Game& game, const Arguments& arguments) {
  std::string text = arguments.text(0, "text");
  constexpr size_t kMostBytes = 1000;
  if (text.size() > kMostBytes)
    throw Refused{fmt::format("chat: the text has {} bytes: {} at most", text.size(), kMostBytes)};
  game.events.push_back({voyager::Event::Kind::kChat, game.tick, std::move(text)});
  return true;
}

constexpr NamedCall kActs[] = {
    {"goTo", call_go_to},      {"explore", call_explore},   {"dig", call_dig},       {"place", call_place},
    {"craft", call_craft},     {"smelt", call_smelt},       {"attack", call_attack}, {"eat", call_eat},
    {"equip", call_equip},     {"toss", call_toss},         {"sleep", call_sleep},   {"openChest", call_open_chest},
    {"deposit", call_deposit}, {"withdraw", call_withdraw}, {"wait", call_wait},     {"chat", call_chat},
};

}  // namespace

Call act_named(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kActs), std::end(kActs), [&](const NamedCall& act) { return act.name == name; });
  return found == std::end(kActs) ? nullptr : found->call;
}

}  // namespace caravel::mini
