#pragma once

// Included by the per-ISA sources alone; everything here has internal linkage.

#include <cstdint>

#include "kernels/gemm.h"

namespace caravel::kernels::CARAVEL_ISA {

/// max|x|; NaN where some x is: the bits of |x| order as |x| does, with NaN on top.
static inline float largest_magnitude(const float* x, int count) {
  int32_t max_bits = 0;
  for (int i = 0; i < count; ++i) {
    const int32_t bits = __builtin_bit_cast(int32_t, x[i]) & 0x7fffffff;
    max_bits = bits > max_bits ? bits : max_bits;
  }
  return __builtin_bit_cast(float, max_bits);
}

/// 127 / max, but 0 where it may overflow.
static inline float inverse_q8_scale(float max) { return max < 1e-30F ? 0.0F : 127.0F / max; }

/// |x| <= 127 to the nearest integer, ties to even: adding 1.5 * 2^23 leaves it in the low bits.
static inline int8_t round_to_q8(float x) {
  return static_cast<int8_t>(__builtin_bit_cast(uint32_t, x + 12582912.0F) & 0xffU);
}

/// One block of 32: q8 = round_to_nearest_even(x * 127 / max|x|), scale = max|x| / 127, sum = scale * sum(q8), and the
/// sums of either half. Written so that the compiler vectorises it: integer reductions need no order of evaluation, and
/// each element sees the same IEEE operations on every ISA, so the bits agree. A NaN makes the block's scale NaN.
static inline void quantize_q8_block(const float* x, int8_t* q8, float* scale, float* sum, int16_t* totals) {
  const float max = largest_magnitude(x, 32);
  const float inverse = inverse_q8_scale(max);
  int32_t half_total[2] = {0, 0};
  for (int half = 0; half < 2; ++half) {
    for (int i = 16 * half; i < 16 * half + 16; ++i) {
      const int8_t q = round_to_q8(x[i] * inverse);
      q8[i] = q;
      half_total[half] += q;
    }
  }
  *scale = max / 127.0F;
  *sum = *scale * static_cast<float>(half_total[0] + half_total[1]);
  totals[0] = static_cast<int16_t>(half_total[0]);
  totals[1] = static_cast<int16_t>(half_total[1]);
}

/// Stores row `token` of a GEMM's input in the form that it wants; row is [out.width].
static inline void store_input_row(const GemmInput& out, int64_t token, const float* row) {
  if (out.form == InputForm::kF32) {
    float* to = out.f32 + token * out.width;
    for (int64_t i = 0; i < out.width; ++i) to[i] = row[i];
    return;
  }
  const int64_t blocks = out.width / 32;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t at = token * blocks + b;
    quantize_q8_block(row + 32 * b, out.q8 + 32 * at, out.scales + at, out.sums + at, out.totals + 2 * at);
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
