#pragma once

#include <cuda_fp8.h>

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/common.cuh"
#include "kernels/cuda/kv_row.cuh"
#include "kernels/kv_cache.h"

namespace caravel::kernels::cuda {

// A head on its way into the cache, in f32, by a warp.

/// By the sum of `count` squares.
__device__ inline float inverse_rms(float sum, int count, float epsilon) {
  return 1.0F / sqrtf(sum / static_cast<float>(count) + epsilon);
}

__device__ inline float head_factor(const float* head, int head_dim, float epsilon, int lane) {
  float sum = 0.0F;
  for (int d = lane; d < head_dim; d += kWarp) sum = fmaf(head[d], head[d], sum);
  return inverse_rms(reduce_warp(sum, Sum()), head_dim, epsilon);
}

__device__ inline void rotate_head(float* head, const float* cos_sin, int rotary_dim, RotaryStyle style, int lane) {
  const int pairs = rotary_dim / 2;
  const int apart = style == RotaryStyle::kHalves ? pairs : 1;  // between the two of a pair
  const int step = style == RotaryStyle::kHalves ? 1 : 2;       // between pairs
  for (int i = lane; i < pairs; i += kWarp) {
    const float2 angle = reinterpret_cast<const float2*>(cos_sin)[i];
    const float a = head[i * step];
    const float b = head[i * step + apart];
    head[i * step] = rotated_first(a, b, angle);
    head[i * step + apart] = rotated_second(a, b, angle);
  }
}

template <typename T>
__device__ void store_pairs(T* to, const float* head, int head_dim, int row_elements, int lane) {
  for (int d = 2 * lane; d < row_elements; d += 2 * kWarp) {
    reinterpret_cast<uint32_t*>(to)[d / 2] = d < head_dim ? pack_pair<T>(head[d], head[d + 1]) : 0U;
  }
}

/// q8 = round_to_nearest_even(x * 127 / max|x|); the scale is max|x| / 127, NaN where some x is.
__device__ inline void store_int8(int8_t* to, float* scale, const float* head, int head_dim, int row_elements,
                                  int lane) {
  uint32_t bits = 0;  // of |x|, which order as |x| does, with NaN on top
  for (int d = lane; d < head_dim; d += kWarp) bits = max(bits, __float_as_uint(head[d]) & 0x7fffffffU);
  const float most = __uint_as_float(reduce_warp(bits, Largest()));
  for (int d = lane; d < row_elements; d += kWarp) {
    // By the quotient itself: of BF16 values some lie half way between two levels.
    const float level = d < head_dim && most > 0.0F ? head[d] * 127.0F / most : 0.0F;
    to[d] = static_cast<int8_t>(__float2int_rn(level));
  }
  if (lane == 0) *scale = most / 127.0F;
}

__device__ inline void store_fp8(uint8_t* to, const float* head, int head_dim, int row_elements, int lane) {
  for (int d = lane; d < row_elements; d += kWarp) {
    to[d] = __nv_cvt_float_to_fp8(d < head_dim ? head[d] : 0.0F, __NV_SATFINITE, __NV_E4M3);
  }
}

/// One row of a KV head's part of a block.
__device__ inline void store_head(KvDtype dtype, std::byte* row, float* scale, const float* head, int head_dim,
                                  int row_bytes, int lane) {
  switch (dtype) {
    case KvDtype::kF16:
      return store_pairs(reinterpret_cast<Half*>(row), head, head_dim, row_bytes / 2, lane);
    case KvDtype::kBF16:
      return store_pairs(reinterpret_cast<BFloat16*>(row), head, head_dim, row_bytes / 2, lane);
    case KvDtype::kInt8:
      return store_int8(reinterpret_cast<int8_t*>(row), scale, head, head_dim, row_bytes, lane);
    case KvDtype::kFp8:
      return store_fp8(reinterpret_cast<uint8_t*>(row), head, head_dim, row_bytes, lane);
    case KvDtype::kF32:
      for (int d = lane; d < row_bytes / 4; d += kWarp) {
        reinterpret_cast<float*>(row)[d] = d < head_dim ? head[d] : 0.0F;
      }
  }
}

}  // namespace caravel::kernels::cuda
