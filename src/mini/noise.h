#pragma once

#include <cstdint>

#include "mini/random.h"

namespace caravel::mini {

/// Value noise in whole numbers, so that it is the same on every machine: hashes at the corners of a lattice whose
/// cells are 2^bits blocks wide, smoothed between them (Perlin, "Improving noise", 2002, whose first curve 3t^2-2t^3 it
/// takes). From 0 to 65,535.
inline int smooth(int t) { return static_cast<int>((int64_t{t} * t * (3 * 65536 - 2 * int64_t{t})) >> 32); }
inline int between(int a, int b, int t) { return a + static_cast<int>((int64_t{b - a} * t) >> 16); }
inline int corner(uint64_t seed, uint32_t what, int x, int z, int y = 0) {
  return static_cast<int>(hash_of(seed, what, x, y, z) >> 48);
}

inline int noise2(uint64_t seed, uint32_t what, int x, int z, int bits) {
  const int i = x >> bits, k = z >> bits, mask = (1 << bits) - 1;
  const int u = smooth((x & mask) << (16 - bits)), v = smooth((z & mask) << (16 - bits));
  const int near = between(corner(seed, what, i, k), corner(seed, what, i + 1, k), u);
  const int far = between(corner(seed, what, i, k + 1), corner(seed, what, i + 1, k + 1), u);
  return between(near, far, v);
}

/// Cells 2^bits wide and 2^y_bits high.
inline int noise3(uint64_t seed, uint32_t what, int x, int y, int z, int bits, int y_bits) {
  const int j = y >> y_bits, mask = (1 << y_bits) - 1, w = smooth((y & mask) << (16 - y_bits));
  const int i = x >> bits, k = z >> bits, side = (1 << bits) - 1;
  const int u = smooth((x & side) << (16 - bits)), v = smooth((z & side) << (16 - bits));
  const auto layer = [&](int level) {
    const int near = between(corner(seed, what, i, k, level), corner(seed, what, i + 1, k, level), u);
    const int far = between(corner(seed, what, i, k + 1, level), corner(seed, what, i + 1, k + 1, level), u);
    return between(near, far, v);
  };
  return between(layer(j), layer(j + 1), w);
}

}  // namespace caravel::mini
