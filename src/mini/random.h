#pragma once

#include <cstdint>

namespace caravel::mini {

/// The finaliser of SplitMix64 (Steele et al., 2014): every bit of the answer hangs on every bit of the value.
constexpr uint64_t mixed(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

/// 64 bits that are a function of all of these. `what` tells one use from another.
constexpr uint64_t hash_of(uint64_t seed, uint32_t what, int64_t x, int64_t y, int64_t z = 0) {
  const uint64_t place = static_cast<uint64_t>(x) * 0x9E3779B97F4A7C15 + static_cast<uint64_t>(z) * 0xC2B2AE3D27D4EB4F +
                         static_cast<uint64_t>(y) * 0x165667B19E3779F9;
  return mixed(place + seed * 0xD6E8FEB86659FD93 + what * uint64_t{0xA24BAED4963EE407});
}

/// A sequence of draws, whose place in it is all of its state.
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t drawn = 0) : seed_(seed), drawn_(drawn) {}

  /// From 0 to below `bound`, which is at least 1.
  int below(int bound) {
    const uint64_t high = mixed(seed_ + ++drawn_ * 0x9E3779B97F4A7C15) >> 32;
    return static_cast<int>(high * static_cast<uint64_t>(bound) >> 32);
  }
  int between(int least, int most) { return least + below(most - least + 1); }
  bool one_in(int times) { return below(times) == 0; }
  uint64_t drawn() const { return drawn_; }

 private:
  uint64_t seed_;
  uint64_t drawn_;
};

}  // namespace caravel::mini
