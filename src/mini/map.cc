#include "mini/map.h"

#include <algorithm>

namespace caravel::mini {
namespace {

constexpr uint32_t kUnseen = 0x10141a, kSeenBelow = 0x3a3532, kPlayer = 0xff3030;

struct Area {
  int left = 0, top = 0, width = 0, height = 0;  // columns
};

uint32_t shaded(uint32_t colour, int percent) {
  uint32_t shade = 0;
  for (int shift = 0; shift < 24; shift += 8)
    shade |= std::min<uint32_t>(255, (colour >> shift & 255) * static_cast<uint32_t>(percent) / 100) << shift;
  return shade;
}

/// Around all chunks of which something was seen.
Area area_seen(const Game& game) {
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
  return shaded(info(shown).colour, std::clamp(100 + (top - kSeaLevel) * 3 / 2, 70, 135));
}

/// At the height of somebody's head: rock as it is, and dark floors.
uint32_t at_height(const Terrain& terrain, int x, int y, int z) {
  const Block there = terrain.at({x, y, z});
  if (there != Block::kAir) return info(there).colour;
  for (int down = 1; down < 4; ++down)
    if (const Block floor = terrain.at({x, y - down, z}); floor != Block::kAir)
      return shaded(info(floor).colour, 60 - down * 10);
  return 0;
}

}  // namespace

voyager::MapImage draw_map(const Game& game, int most_pixels, std::optional<int> blocks_around) {
  const Cell at = game.player.at;
  const int most = std::clamp(most_pixels, 1, 4096);
  Area area = area_seen(game);
  if (blocks_around) {
    const int around = std::clamp(*blocks_around, 1, 1024);
    area = {at.x - around, at.z - around, 2 * around + 1, 2 * around + 1};
  }
  const int each = std::max(1, (std::max(area.width, area.height) + most - 1) / most);  // blocks to a pixel
  const bool below = blocks_around && !game.terrain.under_sky(at + kUp);
  voyager::MapImage map{.width = (area.width + each - 1) / each, .height = (area.height + each - 1) / each};
  map.left = area.left;
  map.top = area.top;
  map.blocks_per_pixel = each;
  map.rgb.reserve(static_cast<size_t>(map.width) * static_cast<size_t>(map.height) * 3);
  const auto& records = game.terrain.records();
  for (int row = 0; row < map.height; ++row)
    for (int i = 0; i < map.width; ++i) {
      const int x = area.left + i * each + each / 2, z = area.top + row * each + each / 2;
      uint32_t colour = kUnseen;
      if (const auto found = records.find({x >> 4, z >> 4}); found != records.end()) {
        const bool over = bit(found->second.seen, x, z), under = bit(found->second.seen_below, x, z);
        if (below && (over || under))
          colour = at_height(game.terrain, x, at.y + 1, z);
        else if (over)
          colour = from_above(game.terrain, x, z);
        else if (under)
          colour = kSeenBelow;
      }
      if (blocks_around && x == at.x && z == at.z) colour = kPlayer;
      for (int shift = 16; shift >= 0; shift -= 8) map.rgb.push_back(static_cast<uint8_t>(colour >> shift & 255));
    }
  return map;
}

}  // namespace caravel::mini
