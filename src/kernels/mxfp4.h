#pragma once

#include <bit>
#include <cstdint>

namespace caravel::kernels {

/// Twice the values of E2M1's codes (0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives), and 12 more: unsigned levels, as
/// those of other types.
inline constexpr uint8_t kE2M1Levels[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};
inline constexpr int kE2M1Offset = 12;

/// Half of what E8M0's bits mean: 2^(bits - 128), exact, since levels are doubled. Host code alone, as kernels/half.h.
inline float half_of_e8m0(uint8_t bits) {
  if (bits < 2) return std::bit_cast<float>(uint32_t{0x00200000} << bits);
  return std::bit_cast<float>((bits == 255 ? 255U : bits - 1U) << 23);
}

}  // namespace caravel::kernels
