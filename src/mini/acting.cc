#include "mini/acting.h"

#include <fmt/format.h>

#include <algorithm>

#include "mini/creatures.h"
#include "mini/digging.h"
#include "mini/passing.h"
#include "mini/sight.h"

namespace caravel::mini {

namespace {

constexpr int kBlowTicks = 12;  // a full swing of a sword
constexpr int kEatTicks = 32;

void need(const Game& game, ItemId item, int count) {
  const int have = game.player.items.count(item);
  if (have < count) throw Refused{fmt::format("you have {} {}, not {}", have, info(item).name, count)};
}

}  // namespace

Blow attack(Game& game, int id) {
  const auto found =
      std::find_if(game.creatures.begin(), game.creatures.end(), [&](const Creature& c) { return c.id == id; });
  if (found == game.creatures.end() || found->health <= 0)
    throw Refused{fmt::format("there is no creature {} any more", id)};
  const KindInfo& kind = info(found->kind);
  if (const double far = distance_to(game, *found); far > 4.5)
    throw Refused{fmt::format("the {} is {} blocks away: get within 4.5", kind.name, far)};
  const ItemId hand = game.player.hand;
  found->health -= hand == kNoItem ? 1 : info(hand).damage;
  found->scared_until = game.tick + 100;
  const Blow blow = {kind.name, std::max(0, found->health), found->health <= 0};
  if (hand != kNoItem && info(hand).tool != Tool::kNone) use_tool(game);
  if (blow.killed) {
    ++game.counts.killed[found->kind];
    game.creatures.erase(found);
    for (const Loot& loot : kind.loot) {
      const int count = game.random.between(loot.least, loot.most);
      if (count > 0) give(game, item_of(loot.item), count);
    }
  }
  pass(game, kBlowTicks, 100);
  return blow;
}

void eat(Game& game, ItemId item) {
  need(game, item, 1);
  const int points = info(item).food;
  if (points == 0) throw Refused{fmt::format("{} is no food", info(item).name)};
  if (game.player.food >= kMostFood && info(item).name != "golden_apple")
    throw Refused{"you are not hungry: food is 20 of 20"};
  take(game, item, 1);
  if (info(item).name == "mushroom_stew") give(game, item_of("bowl"), 1);
  if (info(item).name == "golden_apple") game.player.health = kMostHealth;
  game.player.food = std::min(kMostFood, game.player.food + points);
  ++game.counts.eaten[item];
  pass(game, kEatTicks, 0);
}

Wear equip(Game& game, ItemId item) {
  Player& player = game.player;
  const Wear wear = info(item).wear;
  Stack& worn = player.worn[static_cast<size_t>(wear)];
  if (wear != Wear::kHand && worn.count > 0 && worn.item == item && player.items.count(item) == 0) return wear;
  need(game, item, 1);
  if (wear == Wear::kHand) {
    player.hand = item;
  } else {
    const Stack before = worn;
    worn = *player.items.take_one(item);
    if (before.count > 0) player.items.add(before.item, 1, before.wear);
    if (player.hand == item && player.items.count(item) == 0) player.hand = kNoItem;
  }
  pass(game, 1, 0);
  return wear;
}

void toss(Game& game, ItemId item, int count) {
  need(game, item, count);
  take(game, item, count);
  pass(game, 1, 0);
}

void sleep(Game& game) {
  const std::vector<Cell> beds = find_blocks(game, {Block::kBed}, 6, 1);
  if (beds.empty() || !within_reach(game.player, beds.front()))
    throw Refused{"sleeping needs a white_bed within 4.5 blocks: place one, or go to one"};
  const int64_t now = game.tick % kDayTicks;
  if (now < 12500) throw Refused{fmt::format("it is too early to sleep: {} ticks to sunset", 12500 - now)};
  for (const Creature& creature : game.creatures)
    if (info(creature.kind).hostile && squared_distance(creature.at, game.player.at) <= 64)
      throw Refused{fmt::format("cannot sleep with a {} near", info(creature.kind).name)};
  game.player.home = game.player.at;
  game.tick += kDayTicks - now;
  std::erase_if(game.creatures, [](const Creature& creature) { return info(creature.kind).hostile; });
  for (Creature& creature : game.creatures) creature.next_step = game.tick + 20 + creature.id % 20;
  game.player.food = std::max(std::min(game.player.food, 6), game.player.food - 2);
  pass(game, 1, 0);
}

Inventory& open_chest(Game& game, const Cell& cell) {
  if (game.terrain.at(cell) != Block::kChest)
    throw Refused{fmt::format("there is no chest at {}, {}, {}, but {}", cell.x, cell.y, cell.z,
                              info(game.terrain.at(cell)).name)};
  if (!within_reach(game.player, cell))
    throw Refused{
        fmt::format("the chest at {}, {}, {} is out of reach: get within 4.5 blocks", cell.x, cell.y, cell.z)};
  game.opened.insert(cell);
  pass(game, 2, 0);
  return game.chests.try_emplace(cell, kChestSlots).first->second;
}

void deposit(Game& game, const Cell& cell, ItemId item, int count) {
  Inventory& chest = open_chest(game, cell);
  need(game, item, count);
  if (chest.room(item) < count)
    throw Refused{fmt::format("the chest has room for {} {}, not {}", chest.room(item), info(item).name, count)};
  for (int i = 0; i < count; ++i) {
    const Stack one = *game.player.items.take_one(item);
    chest.add(item, 1, one.wear);
  }
  if (game.player.hand == item && game.player.items.count(item) == 0) game.player.hand = kNoItem;
}

void withdraw(Game& game, const Cell& cell, ItemId item, int count) {
  Inventory& chest = open_chest(game, cell);
  if (chest.count(item) < count)
    throw Refused{fmt::format("the chest has {} {}, not {}", chest.count(item), info(item).name, count)};
  if (game.player.items.room(item) < count)
    throw Refused{fmt::format("you have room for {} {}, not {}", game.player.items.room(item), info(item).name, count)};
  for (int i = 0; i < count; ++i) {
    const Stack one = *chest.take_one(item);
    give(game, item, 1, one.wear);
  }
}

}  // namespace caravel::mini
