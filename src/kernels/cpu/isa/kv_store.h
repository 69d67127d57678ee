#pragma once

// Included by the per-ISA sources alone.

#include "kernels/cpu/isa/input_row.h"
#include "kernels/cpu/isa/simd.h"
#include "kernels/kv_cache.h"

namespace caravel::kernels::CARAVEL_ISA {

static inline void rotate(float* x, const float* cos_sin, int rotary_dim, RotaryStyle style) {
  const int pairs = rotary_dim / 2;
  const int apart = style == RotaryStyle::kHalves ? pairs : 1;  // between the two of a pair
  const int step = style == RotaryStyle::kHalves ? 1 : 2;       // between pairs
  for (int i = 0; i < pairs; ++i) {
    const float c = cos_sin[2 * i];
    const float s = cos_sin[2 * i + 1];
    const float a = x[i * step];
    const float b = x[i * step + apart];
    x[i * step] = a * c - b * s;
    x[i * step + apart] = b * c + a * s;
  }
}

template <typename T>
void store_strided(std::byte* head, int64_t element, int64_t stride, const float* x, int count) {
  T* to = reinterpret_cast<T*>(head) + element;
  for (int d = 0; d < count; ++d) store_as(to + d * stride, x[d]);
}

/// q8 = round_to_nearest_even(x * 127 / max|x|); returns max|x| / 127, NaN where some x is.
static inline float store_int8(const float* x, int count, int8_t* to, int64_t stride) {
  const float max = largest_magnitude(x, count);
  const float inverse = inverse_q8_scale(max);
  for (int d = 0; d < count; ++d) to[d * stride] = round_to_q8(x[d] * inverse);
  return max / 127.0F;
}

/// Element d goes to `element + d * stride`; the scale, where there is one, to `scale`.
static inline void store_elements(KvDtype dtype, std::byte* head, int64_t element, int64_t stride, float* scale,
                                  const float* x, int count) {
  switch (dtype) {
    case KvDtype::kF16:
      return store_strided<F16>(head, element, stride, x, count);
    case KvDtype::kBF16:
      return store_strided<BF16>(head, element, stride, x, count);
    case KvDtype::kInt8:
      *scale = store_int8(x, count, reinterpret_cast<int8_t*>(head) + element, stride);
      return;
    case KvDtype::kF32:
      return store_strided<float>(head, element, stride, x, count);
    case KvDtype::kFp8:
      return;  // kv_layer_bytes() refuses it
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
