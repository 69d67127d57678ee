#include "mini/sight.h"

#include <gtest/gtest.h>

#include "mini/passing.h"

namespace caravel::mini {
namespace {

TEST(Sight, NobodyLooksThroughRock) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Game game(seed);
    begin(game);
    const std::vector<Block> ores = {Block::kCoalOre, Block::kIronOre, Block::kDiamondOre};
    for (const Cell& cell : find_blocks(game, ores, 64, 1000)) {
      bool touched = false;
      for (const Cell& face : kFaces) touched = touched || !is_opaque(game.terrain.at(cell + face));
      EXPECT_TRUE(touched || squared_distance(cell, game.player.at) <= kFeels * kFeels);
    }
  }
}

TEST(Sight, NearestFirstAndNoMoreThanAskedFor) {
  Game game(2);
  begin(game);
  const std::vector<Cell> all = find_blocks(game, {Block::kGrassBlock, Block::kDirt}, 20, 100'000);
  ASSERT_GT(all.size(), 100u);
  for (size_t i = 1; i < all.size(); ++i)
    EXPECT_LE(squared_distance(all[i - 1], game.player.at), squared_distance(all[i], game.player.at));
  const std::vector<Cell> some = find_blocks(game, {Block::kGrassBlock, Block::kDirt}, 20, 50);
  EXPECT_EQ(some, std::vector<Cell>(all.begin(), all.begin() + 50));
  EXPECT_TRUE(find_blocks(game, {Block::kGrassBlock}, 20, 0).empty());
}

TEST(Sight, DiggingFindsWhatLiesBeside) {
  Game game(2);
  begin(game);
  const Cell hidden = game.player.at + Cell{0, -3, 0};
  game.terrain.set(hidden, Block::kDiamondOre);
  EXPECT_EQ(find_blocks(game, {Block::kDiamondOre}, 8, 1), std::vector<Cell>{hidden});
  game.terrain.set(hidden, Block::kStone);
  game.terrain.set(hidden + kDown, Block::kDiamondOre);
  for (const Cell& face : kFaces) game.terrain.set(hidden + kDown + face, Block::kStone);
  EXPECT_TRUE(find_blocks(game, {Block::kDiamondOre}, 8, 1).empty());
}

}  // namespace
}  // namespace caravel::mini
