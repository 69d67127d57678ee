#include "mini/sight.h"

#include <algorithm>
#include <bitset>
#include <cmath>
#include <tuple>

#include "mini/creatures.h"

namespace caravel::mini {
namespace {

bool exposed(const Terrain& terrain, const Cell& cell) {
  return std::any_of(std::begin(kFaces), std::end(kFaces), [&](const Cell& face) { return !is_opaque(terrain.at(cell + face)); });
}

}  // namespace

std::vector<Cell> find_blocks(const Game& game, const std::vector<Block>& kinds, int most_distance, int most) {
  std::bitset<256> wanted;
  for (const Block kind : kinds) wanted.set(static_cast<size_t>(kind));
  const Cell at = game.player.at;
  const int far = std::min(most_distance, kFarthest);
  const int64_t far2 = int64_t{far} * far;
  const int lowest = std::max(0, at.y - far), highest = std::min(kHeight - 1, at.y + far);
  std::vector<std::pair<int64_t, Cell>> found;
  for (int i = (at.x - far) >> 4; i <= (at.x + far) >> 4; ++i)
    for (int k = (at.z - far) >> 4; k <= (at.z + far) >> 4; ++k) {
      const Chunk& chunk = game.terrain.chunk(i, k);
      if ((chunk.holds & wanted).none()) continue;
      for (int column = 0; column < kColumns; ++column) {
        const int x = i * 16 + (column >> 4), z = k * 16 + (column & 15);
        const int64_t aside2 = int64_t{x - at.x} * (x - at.x) + int64_t{z - at.z} * (z - at.z);
        if (aside2 > far2) continue;
        const Block* const blocks = &chunk.block[static_cast<size_t>(column * kHeight)];
        for (int y = lowest; y <= highest; ++y) {
          if (!wanted[static_cast<size_t>(blocks[y])]) continue;
          const int64_t distance2 = aside2 + int64_t{y - at.y} * (y - at.y);
          if (distance2 <= far2) found.emplace_back(distance2, Cell{x, y, z});
        }
      }
    }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tuple(a.first, a.second.y, a.second.x, a.second.z) < std::tuple(b.first, b.second.y, b.second.x, b.second.z);
  });
  std::vector<Cell> seen;
  for (const auto& [distance2, cell] : found) {
    if (static_cast<int>(seen.size()) >= most) break;
    if (distance2 <= kFeels * kFeels || exposed(game.terrain, cell)) seen.push_back(cell);
  }
  return seen;
}

double distance_to(const Game& game, const Creature& creature) {
  const int64_t distance2 = squared_distance(creature.at, game.player.at);
  return std::floor(std::sqrt(static_cast<double>(distance2)) * 100) / 100;
}

std::vector<const Creature*> creatures_seen(const Game& game, int most_distance) {
  std::vector<const Creature*> seen;
  const int64_t far2 = int64_t{most_distance} * most_distance;
  for (const Creature& creature : game.creatures) {
    const int64_t distance2 = squared_distance(creature.at, game.player.at);
    if (distance2 > far2) continue;
    if (distance2 <= 64 || clear_line(game.terrain, game.player.at + kUp, creature.at)) seen.push_back(&creature);
  }
  std::sort(seen.begin(), seen.end(), [&](const Creature* a, const Creature* b) {
    return std::pair(squared_distance(a->at, game.player.at), a->id) < std::pair(squared_distance(b->at, game.player.at), b->id);
  });
  return seen;
}

}  // namespace caravel::mini
