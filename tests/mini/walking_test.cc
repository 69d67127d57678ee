#include "mini/walking.h"

#include <gtest/gtest.h>

#include "mini/passing.h"

namespace caravel::mini {
namespace {

/// A plain of stone around the player, with nothing over it and nobody on it.
std::unique_ptr<Game> flat_world() {
  auto game = std::make_unique<Game>(1);
  begin(*game);
  game->creatures.clear();
  game->player.at = game->player.home = {0, 40, 0};
  for (int x = -20; x <= 20; ++x)
    for (int z = -20; z <= 20; ++z)
      for (int y = 1; y < kHeight; ++y) game->terrain.set({x, y, z}, y < 40 ? Block::kStone : Block::kAir);
  return game;
}

void wall(Game& game, int x, Block block) {
  for (int z = -20; z <= 20; ++z)
    for (int y = 40; y < kHeight; ++y) game.terrain.set({x, y, z}, block);
}

TEST(Walking, GoesStraightOnTheFlat) {
  const auto game = flat_world();
  go_to(*game, {8, 40, 5}, 0);
  EXPECT_EQ(game->player.at, (Cell{8, 40, 5}));
  EXPECT_EQ(game->tick, 13 * 5);
}

TEST(Walking, DigsThroughWhatItCanAndGetsIt) {
  const auto game = flat_world();
  wall(*game, 3, Block::kDirt);
  go_to(*game, {6, 40, 0}, 0);
  EXPECT_EQ(game->player.at, (Cell{6, 40, 0}));
  EXPECT_EQ(game->player.items.count(item_of("dirt")), 2);
}

TEST(Walking, GoesAroundRatherThanThroughStone) {
  const auto game = flat_world();
  for (int z = -3; z <= 3; ++z)
    for (int y = 40; y < 45; ++y) game->terrain.set({3, y, z}, Block::kStone);
  go_to(*game, {6, 40, 0}, 0);
  EXPECT_EQ(game->terrain.at({3, 40, 0}), Block::kStone);
  EXPECT_LT(game->tick, 100);
}

TEST(Walking, ClimbsOutOfAPit) {
  const auto game = flat_world();
  for (int y = 34; y < 40; ++y) game->terrain.set({0, y, 0}, Block::kAir);
  game->player.at = {0, 34, 0};
  go_to(*game, {8, 40, 0}, 1);
  EXPECT_GE(game->player.at.y, 39);
}

TEST(Walking, DoesNotWalkIntoLavaNorOffCliffs) {
  const auto game = flat_world();
  for (int z = -20; z <= 20; ++z)
    for (int x = 3; x <= 4; ++x) game->terrain.set({x, 39, z}, z == 15 ? Block::kStone : Block::kLava);
  go_to(*game, {8, 40, 0}, 0);
  EXPECT_EQ(game->player.health, kMostHealth);
  for (int x = -20; x <= -3; ++x)
    for (int z = -20; z <= 20; ++z)
      for (int y = 20; y < 40; ++y) game->terrain.set({x, y, z}, Block::kAir);
  go_to(*game, {-10, 20, 0}, 1);
  EXPECT_EQ(game->player.health, kMostHealth);
}

TEST(Walking, SaysSoWhereThereIsNoWay) {
  const auto game = flat_world();
  for (int x = 10; x <= 12; ++x)
    for (int z = 10; z <= 12; ++z)
      for (int y = 40; y < 43; ++y) game->terrain.set({x, y, z}, Block::kBedrock);
  for (int y = 40; y < 42; ++y) game->terrain.set({11, y, 11}, Block::kAir);
  for (int x = 10; x <= 12; ++x)
    for (int z = 10; z <= 12; ++z) game->terrain.set({x, 39, z}, Block::kBedrock);
  try {
    go_to(*game, {11, 40, 11}, 0);
    FAIL() << "it is inside of bedrock";
  } catch (const Refused& refused) {
    EXPECT_NE(refused.why.find("found no way to within 0 of 11, 40, 11"), std::string::npos) << refused.why;
  }
  EXPECT_THROW(go_to(*game, {0, 64, 0}, 0), Refused);
  EXPECT_THROW(go_to(*game, {kEnd, 40, 0}, 0), Refused);
}

TEST(Walking, AFallHurtsFromFourBlocksOn) {
  const auto game = flat_world();
  game->player.at = {0, 46, 0};
  settle(*game);
  EXPECT_EQ(game->player.at, (Cell{0, 40, 0}));
  EXPECT_EQ(game->player.health, kMostHealth - 3);
  game->player.at = {0, 63, 0};
  EXPECT_THROW(settle(*game), Refused);
  EXPECT_EQ(game->player.at, game->player.home);
  EXPECT_EQ(game->deaths, 1);
}

TEST(Walking, ExploringGetsSomewhereInItsTime) {
  const auto game = flat_world();
  explore(*game, {1, 0, 0}, 60);
  EXPECT_GE(game->player.at.x, 10);
  EXPECT_LE(game->tick, 80);
  explore(*game, {0, -1, 0}, 400);
  EXPECT_LT(game->player.at.y, 40);
}

}  // namespace
}  // namespace caravel::mini
