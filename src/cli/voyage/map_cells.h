#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "voyager/environment.h"

namespace caravel::cli {

/// How many colours a terminal has.
enum class Colors : uint8_t { kNone, k256, kTrue };

/// Of the environment: NO_COLOR, COLORTERM and TERM.
Colors terminal_colors();

/// A map as `rows` lines of `columns` cells. In colours a cell is two pixels, one above the other (half blocks);
/// without, a letter by what its colour is like. `player` is an @. Each line ends in plain colours.
std::vector<std::string> map_cells(const voyager::MapImage& map, const voyager::Position& player, size_t columns,
                                   size_t rows, Colors colors);

}  // namespace caravel::cli
