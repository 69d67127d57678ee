#pragma once

// Included by the per-ISA sources alone.

#include "kernels/cpu/isa/simd.h"

namespace caravel::kernels::CARAVEL_ISA {

/// 1 / sqrt(mean(x^2) + epsilon), summed in four vectors of lanes that take turns.
static inline float inverse_rms(const float* x, int64_t width, float epsilon) {
  F32 sum[4] = {zero(), zero(), zero(), zero()};
  int64_t i = 0;
  for (; i + 4 * kLanes <= width; i += 4 * kLanes) {
    for (int j = 0; j < 4; ++j) {
      const F32 v = load(x + i + j * kLanes);
      sum[j] = fma(v, v, sum[j]);
    }
  }
  for (; i < width; i += kLanes) {
    const F32 v = width - i < kLanes ? load_part(x + i, static_cast<int>(width - i)) : load(x + i);
    sum[0] = fma(v, v, sum[0]);
  }
  const float total = reduce_add((sum[0] + sum[1]) + (sum[2] + sum[3]));
  return 1.0F / __builtin_sqrtf(total / static_cast<float>(width) + epsilon);
}

/// out = x * factor * weight.
static inline void scale_row(const float* x, float factor, const float* weight, int64_t width, float* out) {
  for (int64_t i = 0; i < width; ++i) out[i] = x[i] * factor * weight[i];
}

}  // namespace caravel::kernels::CARAVEL_ISA
