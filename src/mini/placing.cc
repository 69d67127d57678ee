#include <fmt/format.h>

#include <algorithm>

#include "mini/acting.h"
#include "mini/digging.h"
#include "mini/growing.h"
#include "mini/passing.h"

namespace caravel::mini {
namespace {

std::string placed_at(const Cell& cell) { return fmt::format("{}, {}, {}", cell.x, cell.y, cell.z); }

/// A full bucket for an empty one, or the other way.
void swap_bucket(Game& game, ItemId from, std::string_view to, const Cell& cell, Block block) {
  if (game.player.items.count(from) > 1 && game.player.items.room(item_of(to)) < 1)
    throw Refused{fmt::format("no room for a {}", to)};
  take(game, from, 1);
  give(game, item_of(to), 1);
  game.terrain.set(cell, block);
  pass(game, 4, 0);
}

std::string_view use_bucket(Game& game, ItemId item, const Cell& cell) {
  const Block there = game.terrain.at(cell);
  const std::string& name = info(item).name;
  if (name == "bucket") {
    if (!is_liquid(there))
      throw Refused{fmt::format("a bucket takes up water or lava: at {} is {}", placed_at(cell), info(there).name)};
    swap_bucket(game, item, there == Block::kWater ? "water_bucket" : "lava_bucket", cell, Block::kAir);
  } else if (name == "water_bucket" && there == Block::kLava) {
    swap_bucket(game, item, "bucket", cell, Block::kObsidian);
  } else {
    if (is_solid(there)) throw Refused{fmt::format("there is {} at {}", info(there).name, placed_at(cell))};
    swap_bucket(game, item, "bucket", cell, name == "water_bucket" ? Block::kWater : Block::kLava);
  }
  return info(game.terrain.at(cell)).name;
}

/// Tills the ground under a cell: seeds want that.
void till(Game& game, const Cell& ground) {
  const Block under = game.terrain.at(ground);
  if (under == Block::kFarmland) return;
  if (under != Block::kGrassBlock && under != Block::kDirt)
    throw Refused{fmt::format("wheat_seeds want dirt, grass_block or farmland below: there is {}", info(under).name)};
  ItemId hoe = kNoItem;
  for (const Stack& stack : game.player.items.slots())
    if (stack.count > 0 && info(stack.item).tool == Tool::kHoe) hoe = stack.item;
  if (hoe == kNoItem) throw Refused{"tilling the ground for wheat_seeds needs a hoe in the inventory"};
  game.terrain.set(ground, Block::kFarmland);
  game.player.hand = hoe;
  use_tool(game);
}

void check_place(const Game& game, const Cell& cell, Block block) {
  const Block there = game.terrain.at(cell);
  if (!info(there).replaceable) throw Refused{fmt::format("there is {} at {}", info(there).name, placed_at(cell))};
  if (is_solid(block) && (cell == game.player.at || cell == game.player.at + kUp))
    throw Refused{fmt::format("you stand at {} yourself", placed_at(cell))};
  if (is_solid(block))
    for (const Creature& creature : game.creatures)
      if (creature.at == cell) throw Refused{fmt::format("a {} is at {}", info(creature.kind).name, placed_at(cell))};
  const bool beside = std::any_of(std::begin(kFaces), std::end(kFaces), [&](const Cell& face) {
    const Block next = game.terrain.at(cell + face);
    return is_solid(next) || (block == Block::kLadder && next == Block::kLadder);
  });
  if (!beside) throw Refused{fmt::format("there is nothing beside {} to place it against", placed_at(cell))};
  const bool plant = info(block).hardness == 0 && !is_solid(block) && block != Block::kTorch;
  if (plant && !is_solid(game.terrain.at(cell + kDown)) && game.terrain.at(cell + kDown) != block)
    throw Refused{fmt::format("{} wants ground below", info(block).name)};
}

}  // namespace

std::string_view place(Game& game, ItemId item, const Cell& cell) {
  const ItemInfo& what = info(item);
  if (game.player.items.count(item) == 0) throw Refused{fmt::format("you have no {}", what.name)};
  if (cell.y < 1 || cell.y >= kHeight)
    throw Refused{fmt::format("{} is outside of the world: y goes from 1 to {}", placed_at(cell), kHeight - 1)};
  if (!within_reach(game.player, cell))
    throw Refused{fmt::format("{} is out of reach: get within 4.5 blocks", placed_at(cell))};
  if (what.name == "bucket" || what.name == "water_bucket" || what.name == "lava_bucket")
    return use_bucket(game, item, cell);
  const bool seeds = what.name == "wheat_seeds";
  if (!what.block && !seeds) throw Refused{fmt::format("{} is no block", what.name)};
  const Block block = seeds ? Block::kYoungWheat : *what.block;
  check_place(game, cell, block);
  if (seeds) till(game, cell + kDown);
  take(game, item, 1);
  game.terrain.set(cell, block);
  ++game.counts.placed[item];
  if (block == Block::kChest) game.opened.insert(cell);  // it is known to be empty
  if (seeds) game.growing[cell] = game.tick + kWheatTicks;
  if (block >= Block::kOakSapling && block <= Block::kAcaciaSapling) game.growing[cell] = game.tick + kTreeTicks;
  pass(game, 4, 10);
  return info(block).name;
}

}  // namespace caravel::mini
