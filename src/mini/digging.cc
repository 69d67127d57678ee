#include "mini/digging.h"

#include <fmt/format.h>

#include <algorithm>

#include "mini/passing.h"

namespace caravel::mini {
namespace {

/// Drops that hang on chance or on the tool.
void special_drop(Game& game, Block block, Dug& dug) {
  const auto drop = [&](ItemId item, int count) {
    dug.item = item;
    dug.count = count;
  };
  const bool shears = game.player.hand != kNoItem && info(game.player.hand).tool == Tool::kShears;
  if (block >= Block::kOakLeaves && block <= Block::kAcaciaLeaves) {
    const int wood = static_cast<int>(block) - static_cast<int>(Block::kOakLeaves);
    if (shears) return drop(item_of(info(block).name), 1);
    const int draw = game.random.below(100);
    if (draw < 8) return drop(item_of(std::string(kWoodNames[wood]) + "_sapling"), 1);
    if (draw < 14) return drop(item_of("stick"), game.random.between(1, 2));
    if (draw < 20 && wood == 0) return drop(item_of("apple"), 1);
  }
  if ((block == Block::kGrass || block == Block::kFern) && game.random.one_in(6))
    return drop(item_of("wheat_seeds"), 1);
  if (block == Block::kGravel && game.random.one_in(6)) return drop(item_of("flint"), 1);
  if (block == Block::kWheat) {
    give(game, item_of("wheat_seeds"), 1);
    return drop(item_of("wheat"), game.random.between(1, 2));
  }
}

void refuse_full_chest(const Game& game, const Cell& cell) {
  const auto chest = game.chests.find(cell);
  if (chest == game.chests.end() || chest->second.used() == 0) return;
  throw Refused{
      fmt::format("the chest at {}, {}, {} is not empty: withdraw what is in it first", cell.x, cell.y, cell.z)};
}

}  // namespace

std::optional<int> dig_ticks(Block block, ItemId tool) {
  const BlockInfo& what = info(block);
  if (what.hardness < 0) return std::nullopt;
  int speed = 1;
  if (tool != kNoItem) {
    const ItemInfo& with = info(tool);
    if (with.tool == what.tool && with.tool != Tool::kNone)
      speed = with.speed;
    else if (with.tool == Tool::kShears && block >= Block::kOakLeaves && block <= Block::kAcaciaLeaves)
      speed = 15;
  }
  const int64_t work = int64_t{what.hardness} * (gives_drop(block, tool) ? 30 : 100), each = int64_t{speed} * 100;
  return static_cast<int>(std::max<int64_t>(1, (work + each - 1) / each));
}

bool gives_drop(Block block, ItemId tool) {
  const BlockInfo& what = info(block);
  if (what.tier == Tier::kHand) return true;
  return tool != kNoItem && info(tool).tool == what.tool && info(tool).tier >= what.tier;
}

ItemId best_tool(const Inventory& items, Block block) {
  const Tool kind = info(block).tool;
  ItemId best = kNoItem;
  if (kind == Tool::kNone) return best;
  bool best_gives = gives_drop(block, kNoItem);
  for (const Stack& stack : items.slots()) {
    if (stack.count == 0 || stack.item == best || info(stack.item).tool != kind) continue;
    const bool gives = gives_drop(block, stack.item);
    const int gain = info(stack.item).speed - (best == kNoItem ? 1 : info(best).speed);
    if (gives == best_gives ? gain <= 0 : !gives) continue;
    best = stack.item;
    best_gives = gives;
  }
  return best;
}

bool within_reach(const Player& player, const Cell& cell) {
  // In hundredths of a block; the eyes are in the middle of the cell, 1.62 above its floor.
  const auto gap = [](int64_t eye, int64_t low) {
    return eye < low ? low - eye : eye > low + 100 ? eye - low - 100 : 0;
  };
  const int64_t x = gap(int64_t{player.at.x} * 100 + 50, int64_t{cell.x} * 100);
  const int64_t y = gap(int64_t{player.at.y} * 100 + 162, int64_t{cell.y} * 100);
  const int64_t z = gap(int64_t{player.at.z} * 100 + 50, int64_t{cell.z} * 100);
  return x * x + y * y + z * z <= int64_t{kReach} * kReach;
}

Dug dig(Game& game, const Cell& cell) {
  const Block block = game.terrain.at(cell);
  const BlockInfo& what = info(block);
  const std::optional<int> ticks = dig_ticks(block, game.player.hand);
  if (!ticks) throw Refused{fmt::format("{} cannot be dug", what.name)};
  refuse_full_chest(game, cell);
  pass(game, *ticks, 100);
  Dug dug{.block = block};
  if (gives_drop(block, game.player.hand)) {
    special_drop(game, block, dug);
    if (dug.item == kNoItem && !what.drop.empty()) {
      dug.item = item_of(what.drop);
      dug.count = game.random.between(what.least, what.most);
    }
  }
  game.terrain.set(cell, block == Block::kKelp || block == Block::kIce ? Block::kWater : Block::kAir);
  game.growing.erase(cell);
  game.chests.erase(cell);
  game.opened.erase(cell);
  if (gives_drop(block, game.player.hand)) ++game.counts.mined[block];
  if (what.hardness > 0) use_tool(game);
  if (dug.item != kNoItem) {
    dug.lost = give(game, dug.item, dug.count);
    dug.count -= dug.lost;
  }
  // What grows on a block does not stay without it.
  const Block over = game.terrain.at(cell + kUp);
  if (over == Block::kCactus || (info(over).hardness == 0 && !is_solid(over) && !info(over).drop.empty()))
    dig(game, cell + kUp);
  return dug;
}

}  // namespace caravel::mini
