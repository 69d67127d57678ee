#pragma once

#include <compare>
#include <cstdint>
#include <cstdlib>

namespace caravel::mini {

/// One block's place. x goes east, y up, z south.
struct Cell {
  int x = 0, y = 0, z = 0;

  auto operator<=>(const Cell&) const = default;
  Cell operator+(const Cell& other) const { return {x + other.x, y + other.y, z + other.z}; }
};

inline constexpr Cell kUp = {0, 1, 0}, kDown = {0, -1, 0};
/// East, south, west, north.
inline constexpr Cell kSides[4] = {{1, 0, 0}, {0, 0, 1}, {-1, 0, 0}, {0, 0, -1}};
inline constexpr Cell kFaces[6] = {{1, 0, 0}, {0, 0, 1}, {-1, 0, 0}, {0, 0, -1}, {0, 1, 0}, {0, -1, 0}};

inline int64_t squared_distance(const Cell& a, const Cell& b) {
  const int64_t x = a.x - b.x, y = a.y - b.y, z = a.z - b.z;
  return x * x + y * y + z * z;
}

}  // namespace caravel::mini
