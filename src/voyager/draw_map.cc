#include "voyager/draw_map.h"

#include <algorithm>

namespace caravel::voyager {
namespace {

constexpr uint32_t kPlayer = 0xff3030;

}  // namespace

uint32_t shaded(uint32_t colour, int percent) {
  uint32_t shade = 0;
  for (int shift = 0; shift < 24; shift += 8)
    shade |= std::min<uint32_t>(255, (colour >> shift & 255) * static_cast<uint32_t>(percent) / 100) << shift;
  return shade;
}

uint32_t shaded_by_height(uint32_t colour, int above_sea) {
  return shaded(colour, std::clamp(100 + above_sea * 3 / 2, 70, 135));
}

MapImage draw_map(const Columns& seen, Column player, int most_pixels, std::optional<int> blocks_around,
                  const std::function<uint32_t(Column)>& colour) {
  const int most = std::clamp(most_pixels, 1, 4096);
  Columns area = seen;
  if (blocks_around) {
    const int around = std::clamp(*blocks_around, 1, 1024);
    area = {player.x - around, player.z - around, 2 * around + 1, 2 * around + 1};
  }
  const int each = std::max(1, (std::max(area.width, area.height) + most - 1) / most);  // blocks to a pixel
  MapImage map{.width = (area.width + each - 1) / each, .height = (area.height + each - 1) / each};
  map.left = area.left;
  map.top = area.top;
  map.blocks_per_pixel = each;
  map.rgb.reserve(static_cast<size_t>(map.width) * static_cast<size_t>(map.height) * 3);
  for (int row = 0; row < map.height; ++row)
    for (int i = 0; i < map.width; ++i) {
      // The middle of the pixel, of one at the edge within what it shows.
      const Column at{area.left + std::min(i * each + each / 2, area.width - 1),
                      area.top + std::min(row * each + each / 2, area.height - 1)};
      const bool is_player = blocks_around && at.x == player.x && at.z == player.z;
      const uint32_t shown = is_player ? kPlayer : colour(at);
      for (int shift = 16; shift >= 0; shift -= 8) map.rgb.push_back(static_cast<uint8_t>(shown >> shift & 255));
    }
  return map;
}

}  // namespace caravel::voyager
