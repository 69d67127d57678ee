#include "mini/growing.h"

#include "mini/flora.h"

namespace caravel::mini {
namespace {

void become_tree(Game& game, const Cell& cell, int wood) {
  const Tree tree = {wood, game.random.between(4, 6), kWoodNames[wood] == "spruce"};
  for (int i = 1; i < tree.height; ++i)
    if (is_solid(game.terrain.at(cell + Cell{0, i, 0}))) return;  // no room: it stays as it is
  game.terrain.set(cell, Block::kAir);
  grow_tree(tree, cell.x, cell.y, cell.z, [&](int x, int y, int z, Block block) {
    const Cell at = {x, y, z};
    if (y >= kHeight || at == game.player.at || at == game.player.at + kUp) return;
    const Block there = game.terrain.at(at);
    const bool leaves = there >= Block::kOakLeaves && there <= Block::kAcaciaLeaves;
    if (there == Block::kAir || (leaves && block <= Block::kAcaciaLog)) game.terrain.set(at, block);
  });
}

}  // namespace

void grow(Game& game) {
  if (game.growing.empty() || game.tick % 20 != 0) return;
  for (auto plant = game.growing.begin(); plant != game.growing.end();) {
    if (plant->second > game.tick) {
      ++plant;
      continue;
    }
    const Cell cell = plant->first;
    plant = game.growing.erase(plant);
    const Block block = game.terrain.at(cell);
    if (block == Block::kYoungWheat) game.terrain.set(cell, Block::kWheat);
    if (block >= Block::kOakSapling && block <= Block::kAcaciaSapling)
      become_tree(game, cell, static_cast<int>(block) - static_cast<int>(Block::kOakSapling));
  }
}

}  // namespace caravel::mini
