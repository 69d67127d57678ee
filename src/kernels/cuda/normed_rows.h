#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/gemm_input.h"

namespace caravel::kernels::cuda {

/// A token's sum of squares. Eight neighbours' squares are added as f32, in order; sums of eights are integers, so that
/// it does not matter who adds which of them when. Those under kLargeEight count in units of 2^-38, others in units of
/// 2^-8, either of which is less than a rounding of f32 where it counts: against an epsilon of 1e-6, or against 4,096.
struct SquareSum {
  unsigned long long small = 0;
  unsigned long long large = 0;
};
inline constexpr float kLargeEight = 0x1p12F;
inline constexpr float kLargestEight = 0x1p42F;  // of values of two millions; what is larger counts as much
inline constexpr float kSmallUnits = 0x1p38F;
inline constexpr float kLargeUnits = 0x1p8F;

/// What is normed lies as rows times the norm's weight, which the GEMM that reads them multiplies as they are; it
/// divides its sums by the root of the mean of the squares (and epsilon, which counts as one more square).
struct NormedRows {
  SquareSum* sums = nullptr;   // [tokens]
  SquareSum* other = nullptr;  // [tokens]: of the other turn
  std::byte* rows = nullptr;   // [tokens, width] in the input's form
};

inline size_t normed_sums_bytes(int64_t tokens) {
  return (static_cast<size_t>(tokens) * 2 * sizeof(SquareSum) + 127) / 128 * 128;
}

/// Where parts of a normed input lie: sums of both turns, then rows.
inline NormedRows normed_rows(const GemmInput& input) {
  auto* const sums = reinterpret_cast<SquareSum*>(input.data);
  return {.sums = sums + (input.turn == 0 ? 0 : input.tokens),
          .other = sums + (input.turn == 0 ? input.tokens : 0),
          .rows = input.data + normed_sums_bytes(input.tokens)};
}

/// What a row's sum of squares begins with.
inline SquareSum epsilon_squares(float epsilon, int64_t width) {
  const double units = static_cast<double>(epsilon) * static_cast<double>(width) * kSmallUnits;
  return {.small = static_cast<unsigned long long>(std::llround(units))};
}

}  // namespace caravel::kernels::cuda
