#include "mini/digging.h"

#include <gtest/gtest.h>

#include "mini/acting.h"
#include "mini/observing.h"
#include "mini/passing.h"

namespace caravel::mini {
namespace {

TEST(Digging, AChestThatWasTakenUpIsKnownNoMore) {
  Game game(1);
  begin(game);
  game.creatures.clear();
  const ItemId chest = item_of("chest"), dirt = item_of("dirt");
  const Cell cell = game.player.at + Cell{1, 0, 0};
  game.terrain.set(cell, Block::kAir);
  game.terrain.set(cell + kDown, Block::kDirt);
  game.player.items.add(chest, 1);
  game.player.items.add(dirt, 1);
  place(game, chest, cell);
  EXPECT_EQ(observe(game).chests.size(), 1U);
  dig(game, cell);
  EXPECT_TRUE(observe(game).chests.empty()) << "nobody has opened it";
  place(game, chest, cell);
  deposit(game, cell, dirt, 1);
  EXPECT_THROW(dig(game, cell), Refused);
  EXPECT_EQ(observe(game).chests.begin()->second.at("dirt"), 1);
  withdraw(game, cell, dirt, 1);
  dig(game, cell);
  EXPECT_TRUE(observe(game).chests.empty());
  EXPECT_EQ(game.player.items.count(chest), 1);
}

}  // namespace
}  // namespace caravel::mini
