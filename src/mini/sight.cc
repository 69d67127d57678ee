#include "mini/sight.h"

#include <algorithm>
#include <bitset>
#include <cmath>
#include <tuple>

#include "mini/creatures.h"

namespace caravel::mini {
namespace {

bool is_seen(const Terrain& terrain, const Cell& cell, int64_t distance2) {
  if (distance2 <= kFeels * kFeels) return true;
  const bool near = distance2 <= kInTheDark * kInTheDark;
  return std::any_of(std::begin(kFaces), std::end(kFaces), [&](const Cell& face) {
    return !is_opaque(terrain.at(cell + face)) && (near || terrain.under_sky(cell + face));
  });
}

struct Found {
  int64_t distance2;
  Cell cell;
};

/// Those farther than `inner` and within `outer` blocks, seen or not, in any order.
std::vector<Found> of_kinds(const Game& game, const std::bitset<256>& wanted, int inner, int outer) {
  const Cell at = game.player.at;
  const int64_t inner2 = inner < 0 ? -1 : int64_t{inner} * inner, outer2 = int64_t{outer} * outer;
  const int lowest = std::max(0, at.y - outer), highest = std::min(kHeight - 1, at.y + outer);
  std::vector<Found> found;
  for (int i = (at.x - outer) >> 4; i <= (at.x + outer) >> 4; ++i)
    for (int k = (at.z - outer) >> 4; k <= (at.z + outer) >> 4; ++k) {
      const Chunk& chunk = game.terrain.chunk(i, k);
      if ((chunk.holds & wanted).none()) continue;
      for (int column = 0; column < kColumns; ++column) {
        const int x = i * kChunkSide + (column >> 4), z = k * kChunkSide + (column & 15);
        const int64_t aside2 = int64_t{x - at.x} * (x - at.x) + int64_t{z - at.z} * (z - at.z);
        if (aside2 > outer2) continue;
        const Block* const blocks = &chunk.block[static_cast<size_t>(column * kHeight)];
        for (int y = lowest; y <= highest; ++y) {
          if (!wanted[static_cast<size_t>(blocks[y])]) continue;
          const int64_t distance2 = aside2 + int64_t{y - at.y} * (y - at.y);
          if (distance2 > inner2 && distance2 <= outer2) found.push_back({distance2, {x, y, z}});
        }
      }
    }
  return found;
}

}  // namespace

std::vector<Cell> find_blocks(const Game& game, const std::vector<Block>& kinds, int most_distance, int most) {
  std::bitset<256> wanted;
  for (const Block kind : kinds) wanted.set(static_cast<size_t>(kind));
  const int far = std::min(most_distance, kFarthest);
  std::vector<Cell> seen;
  // In rings: what is common is found near, and sorting all of it would take long.
  for (int inner = -1, outer = std::min(8, far); static_cast<int>(seen.size()) < most;) {
    std::vector<Found> found = of_kinds(game, wanted, inner, outer);
    std::erase_if(found, [&](const Found& block) { return !is_seen(game.terrain, block.cell, block.distance2); });
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
      return std::tuple(a.distance2, a.cell.y, a.cell.x, a.cell.z) <
             std::tuple(b.distance2, b.cell.y, b.cell.x, b.cell.z);
    });
    for (const Found& block : found)
      if (static_cast<int>(seen.size()) < most) seen.push_back(block.cell);
    if (outer >= far) break;
    inner = outer;
    outer = std::min(2 * outer, far);
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
    return std::pair(squared_distance(a->at, game.player.at), a->id) <
           std::pair(squared_distance(b->at, game.player.at), b->id);
  });
  return seen;
}

}  // namespace caravel::mini
