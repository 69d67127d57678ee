#include "mini/caves.h"

#include <cstdlib>

#include "mini/noise.h"

namespace caravel::mini {
namespace {

enum CaveNoise : uint32_t { kFirst = 200, kSecond, kCavern, kOpening };

}  // namespace

Caves::Caves(uint64_t seed, int chunk_x, int chunk_z) {
  for (int i = 0, at = 0; i < kSide; ++i)
    for (int k = 0; k < kSide; ++k)
      for (int j = 0; j < kLevels; ++j, ++at) {
        const int x = chunk_x * 16 + i * 4, y = j * 4, z = chunk_z * 16 + k * 4;
        const auto slot = static_cast<size_t>(at);
        first_[slot] = noise3(seed, kFirst, x, y, z, 5, 4);
        second_[slot] = noise3(seed, kSecond, x, y, z, 5, 4);
        cavern_[slot] = noise3(seed, kCavern, x, y, z, 5, 3);
      }
}

Caves::Levels Caves::column(const Lattice& lattice, int x, int z) {
  const int i = x >> 2, k = z >> 2, u = x & 3, w = z & 3;
  const auto corner = [&](int a, int c) { return lattice.data() + (a * kSide + c) * kLevels; };
  const int *const a = corner(i, k), *const b = corner(i + 1, k), *const c = corner(i, k + 1),
                   *const d = corner(i + 1, k + 1);
  Levels levels;
  for (size_t j = 0; j < kLevels; ++j)
    levels[j] = ((a[j] * (4 - u) + b[j] * u) * (4 - w) + (c[j] * (4 - u) + d[j] * u) * w) / 16;
  return levels;
}

std::bitset<kHeight> Caves::hollow(int x, int z) const {
  constexpr int kMiddle = 32768, kTunnel = 3600, kCavernTop = 24;
  const Levels first = column(first_, x, z), second = column(second_, x, z), cavern = column(cavern_, x, z);
  std::bitset<kHeight> hollow;
  for (int y = 1; y < kHeight; ++y) {
    const auto j = static_cast<size_t>(y >> 2);
    const int v = y & 3;
    const auto value = [&](const Levels& levels) { return (levels[j] * (4 - v) + levels[j + 1] * v) / 4; };
    hollow[static_cast<size_t>(y)] =
        (std::abs(value(first) - kMiddle) < kTunnel && std::abs(value(second) - kMiddle) < kTunnel) ||
        (y < kCavernTop && value(cavern) > 52500 + y * 200);
  }
  return hollow;
}

bool Caves::opening(uint64_t seed, int x, int z) { return noise2(seed, kOpening, x, z, 4) > 50000; }

}  // namespace caravel::mini
