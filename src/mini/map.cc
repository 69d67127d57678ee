#include "mini/map.h"

#include <algorithm>

#include "voyager/draw_map.h"

namespace caravel::mini {
namespace {

constexpr uint32_t kSeenBelow = 0x3a3532;

/// Around all chunks of which something was seen.
voyager::Columns area_seen(const Game& game) {
  int left = game.player.at.x >> 4, right = left, top = game.player.at.z >> 4, bottom = top;
  for (const auto& [place, record] : game.terrain.records()) {
    left = std::min(left, place.first);
    right = std::max(right, place.first);
    top = std::min(top, place.second);
    bottom = std::max(bottom, place.second);
  }
  return {left * 16, top * 16, (right - left + 1) * 16, (bottom - top + 1) * 16};
}

bool bit(const std::array<uint16_t, kChunkSide>& seen, int x, int z) {
  return seen[static_cast<size_t>(x & 15)] >> (z & 15) & 1;
}

uint32_t from_above(const Terrain& terrain, int x, int z) {
  const int top = terrain.top(x, z);
  Block shown = terrain.at({x, top, z});
  for (int y = top + 1; y < kHeight; ++y)
    if (const Block over = terrain.at({x, y, z}); over != Block::kAir && over != Block::kGrass && over != Block::kFern)
      shown = over;
  return voyager::shaded_by_height(info(shown).colour, top - kSeaLevel);
}

/// At the height of somebody's head: rock as it is, and dark floors.
uint32_t at_height(const Terrain& terrain, int x, int y, int z) {
  const Block there = terrain.at({x, y, z});
  if (there != Block::kAir) return info(there).colour;
  for (int down = 1; down < 4; ++down)
    if (const Block floor = terrain.at({x, y - down, z}); floor != Block::kAir)
      return voyager::shaded(info(floor).colour, 60 - down * 10);
  return 0;
}

}  // namespace

voyager::MapImage draw_map(const Game& game, int most_pixels, std::optional<int> blocks_around) {
  const Cell at = game.player.at;
  const bool below = blocks_around && !game.terrain.under_sky(at + kUp);
  const auto& records = game.terrain.records();
  const auto colour = [&](const voyager::Column& column) {
    const auto [x, z] = column;
    const auto found = records.find({x >> 4, z >> 4});
    if (found == records.end()) return voyager::kUnseenColour;
    const bool over = bit(found->second.seen, x, z), under = bit(found->second.seen_below, x, z);
    if (below && (over || under)) return at_height(game.terrain, x, at.y + 1, z);
    if (over) return from_above(game.terrain, x, z);
    return under ? kSeenBelow : voyager::kUnseenColour;
  };
  return voyager::draw_map(area_seen(game), {at.x, at.z}, most_pixels, blocks_around, colour);
}

}  // namespace caravel::mini
