#pragma once

#include <array>
#include <bitset>
#include <cstdint>

#include "mini/climate.h"

namespace caravel::mini {

/// Which blocks of a chunk caves take away. Tunnels run where two noises are both near their middle, caverns where a
/// third is high; noise is taken at every fourth block and drawn straight between.
class Caves {
 public:
  Caves(uint64_t seed, int chunk_x, int chunk_z);

  /// [y] of a column, x and z from 0 to 15: whether it is hollow, if there is ground.
  std::bitset<kHeight> hollow(int x, int z) const;
  /// Here caves may come up to the open: nothing grows there.
  static bool opening(uint64_t seed, int x, int z);

 private:
  static constexpr int kSide = 5, kLevels = kHeight / 4 + 1;
  using Lattice = std::array<int, kSide * kSide * kLevels>;  // [x, z, y]
  using Levels = std::array<int, kLevels>;
  static Levels column(const Lattice& lattice, int x, int z);

  Lattice first_, second_, cavern_;
};

}  // namespace caravel::mini
