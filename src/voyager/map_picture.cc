#include "voyager/map_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "report/png.h"

namespace caravel::voyager {
namespace {

using Color = std::array<uint8_t, 3>;

constexpr Color kInk = {24, 20, 16};
constexpr Color kPaper = {255, 255, 255};
constexpr Color kFirst = {255, 224, 64};
constexpr Color kLast = {216, 24, 40};

struct Pixel {
  int x = 0, y = 0;
};

struct Picture {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;  // [height, width, 3]

  void disc(Pixel at, int radius, const Color& color) {
    for (int y = std::max(0, at.y - radius); y <= std::min(height - 1, at.y + radius); ++y) {
      for (int x = std::max(0, at.x - radius); x <= std::min(width - 1, at.x + radius); ++x) {
        const int dx = x - at.x;
        const int dy = y - at.y;
        // A little more than the radius' square: without the corners' single pixels.
        if (dx * dx + dy * dy > radius * radius + radius / 2) continue;
        std::ranges::copy(color, rgb.begin() + 3 * (static_cast<std::ptrdiff_t>(y) * width + x));
      }
    }
  }

  /// Discs along the line, by integers alone (Bresenham).
  void line(Pixel from, Pixel to, int radius, const Color& color) {
    const int dx = std::abs(to.x - from.x);
    const int dy = -std::abs(to.y - from.y);
    const int step_x = from.x < to.x ? 1 : -1;
    const int step_y = from.y < to.y ? 1 : -1;
    for (int error = dx + dy;;) {
      disc(from, radius, color);
      if (from.x == to.x && from.y == to.y) return;
      const int twice = 2 * error;
      if (twice >= dy) {
        error += dy;
        from.x += step_x;
      }
      if (twice <= dx) {
        error += dx;
        from.y += step_y;
      }
    }
  }
};

Picture enlarged(const MapImage& map) {
  constexpr int kSide = 720;  // pixels, of the longer side, at least
  const int longest = std::max({map.width, map.height, 1});
  const int scale = std::clamp((kSide + longest - 1) / longest, 1, 16);
  Picture picture{map.width * scale, map.height * scale, {}};
  picture.rgb.reserve(map.rgb.size() * static_cast<size_t>(scale * scale));
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const size_t from =
          3 * (static_cast<size_t>(y / scale) * static_cast<size_t>(map.width) + static_cast<size_t>(x / scale));
      for (size_t i = 0; i < 3; ++i) picture.rgb.push_back(map.rgb.at(from + i));
    }
  }
  return picture;
}

Color between(const Color& a, const Color& b, size_t part, size_t parts) {
  Color mixed{};
  for (size_t i = 0; i < mixed.size(); ++i)
    mixed[i] = static_cast<uint8_t>((a[i] * (parts - part) + b[i] * part) / parts);
  return mixed;
}

void draw_way(const std::vector<Pixel>& way, Picture& picture) {
  constexpr int kOutline = 3;
  constexpr int kLine = 1;
  constexpr int kEnd = 6;
  for (size_t i = 1; i < way.size(); ++i) picture.line(way[i - 1], way[i], kOutline, kInk);
  for (size_t i = 1; i < way.size(); ++i)
    picture.line(way[i - 1], way[i], kLine, between(kFirst, kLast, i - 1, way.size() - 1));
  if (way.empty()) return;
  picture.disc(way.front(), kEnd + 2, kInk);
  picture.disc(way.front(), kEnd, kPaper);
  picture.disc(way.back(), kEnd, kPaper);
  picture.disc(way.back(), kEnd - 2, kLast);
}

}  // namespace

std::string map_picture(const MapImage& map, const std::vector<Position>& way) {
  Picture picture = enlarged(map);
  const double blocks = map.blocks_per_pixel * map.width / std::max(1, picture.width);  // in a pixel of the picture
  const auto place = [blocks](double at, double first, int size) {
    return static_cast<int>(std::clamp(std::floor((at - first) / blocks), 0.0, std::max(0.0, size - 1.0)));
  };
  std::vector<Pixel> pixels;
  for (const Position& position : way) {
    if (!std::isfinite(position.x) || !std::isfinite(position.z)) continue;
    pixels.push_back({place(position.x, map.left, picture.width), place(position.z, map.top, picture.height)});
  }
  draw_way(pixels, picture);
  return report::png(picture.width, picture.height, picture.rgb);
}

}  // namespace caravel::voyager
