#include "cli/voyage/map_cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace caravel::cli {
namespace {

struct Pixel {
  int red = 0, green = 0, blue = 0;
};

/// The level of xterm's cube of 6 x 6 x 6 colours that is next: 0, 95, 135, 175, 215, 255.
int cube_level(int value) { return value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40; }

std::string color_code(const Pixel& pixel, bool is_background, Colors colors) {
  const int which = is_background ? 48 : 38;
  if (colors == Colors::kTrue) return fmt::format("\x1b[{};2;{};{};{}m", which, pixel.red, pixel.green, pixel.blue);
  return fmt::format("\x1b[{};5;{}m", which,
                     16 + 36 * cube_level(pixel.red) + 6 * cube_level(pixel.green) + cube_level(pixel.blue));
}

/// ' ' where it is dark (nothing was seen), else by the colour that stands out.
char letter_of(const Pixel& pixel) {
  const int most = std::max({pixel.red, pixel.green, pixel.blue});
  const int least = std::min({pixel.red, pixel.green, pixel.blue});
  if (most < 40) return ' ';
  if (most - least < 24) return most > 200 ? '*' : '#';  // snow, stone
  if (pixel.blue == most) return '~';
  if (pixel.green == most) return '"';
  return '.';  // sand, earth, wood
}

/// A map of which parts are shown: pixels of the terminal's grid.
class Grid {
 public:
  Grid(const voyager::MapImage& map, size_t width, size_t height)
      : map_(map),
        step_(std::max(static_cast<double>(map.width) / static_cast<double>(width),
                       static_cast<double>(map.height) / static_cast<double>(height))),
        left_((static_cast<double>(map.width) - step_ * static_cast<double>(width)) / 2),
        top_((static_cast<double>(map.height) - step_ * static_cast<double>(height)) / 2) {}

  Pixel at(size_t x, size_t y) const {
    const auto column = static_cast<int64_t>(std::floor(left_ + step_ * (static_cast<double>(x) + 0.5)));
    const auto row = static_cast<int64_t>(std::floor(top_ + step_ * (static_cast<double>(y) + 0.5)));
    if (column < 0 || row < 0 || column >= map_.width || row >= map_.height) return {};
    const uint8_t* const rgb = map_.rgb.data() + static_cast<size_t>(3 * (row * map_.width + column));
    return {rgb[0], rgb[1], rgb[2]};
  }
  /// Of the grid, where something of the map stands.
  int64_t column_of(double x) const { return place((x - map_.left) / map_.blocks_per_pixel, left_); }
  int64_t row_of(double z) const { return place((z - map_.top) / map_.blocks_per_pixel, top_); }

 private:
  int64_t place(double pixel, double from) const { return static_cast<int64_t>(std::floor((pixel - from) / step_)); }

  const voyager::MapImage& map_;
  const double step_;  // pixels of the map for one of the grid
  const double left_, top_;
};

}  // namespace

Colors terminal_colors() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  const std::string_view terminal = variable("TERM");
  if (!variable("NO_COLOR").empty() || terminal.empty() || terminal == "dumb" || terminal.starts_with("vt")) {
    return Colors::kNone;
  }
  const std::string_view many = variable("COLORTERM");
  return many == "truecolor" || many == "24bit" || terminal.ends_with("-direct") ? Colors::kTrue : Colors::k256;
}

std::vector<std::string> map_cells(const voyager::MapImage& map, const voyager::Position& player, size_t columns,
                                   size_t rows, Colors colors) {
  std::vector<std::string> lines;
  if (map.width <= 0 || map.height <= 0 || columns == 0 || rows == 0) return lines;
  const Grid grid(map, columns, 2 * rows);
  const int64_t player_column = grid.column_of(player.x);
  const int64_t player_row = grid.row_of(player.z) / 2;
  for (size_t row = 0; row < rows; ++row) {
    std::string line;
    for (size_t column = 0; column < columns; ++column) {
      const Pixel upper = grid.at(column, 2 * row);
      const Pixel lower = grid.at(column, 2 * row + 1);
      const bool is_player = static_cast<int64_t>(column) == player_column && static_cast<int64_t>(row) == player_row;
      if (colors == Colors::kNone) {
        line += is_player ? '@' : letter_of(upper);
      } else if (is_player) {
        line += color_code({255, 255, 255}, false, colors) + color_code({200, 30, 30}, true, colors) + "@";
      } else {
        line += color_code(upper, false, colors) + color_code(lower, true, colors) + "▀";
      }
    }
    if (colors != Colors::kNone) line += "\x1b[0m";
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace caravel::cli
