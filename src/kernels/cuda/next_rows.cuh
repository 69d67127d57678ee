#pragma once

#include <cuda_bf16.h>

#include "kernels/cuda/normed_rows.h"
#include "kernels/rms_norm.h"

namespace caravel::kernels::cuda {

__device__ inline float four_squares(float4 x) {
  return __fmaf_rn(x.w, x.w, __fmaf_rn(x.z, x.z, __fmaf_rn(x.y, x.y, __fmul_rn(x.x, x.x))));
}

/// Of eight neighbours.
__device__ inline SquareSum square_sum(float of_eight) {
  if (of_eight < kLargeEight) return {.small = __float2ull_rn(of_eight * kSmallUnits)};
  return {.large = __float2ull_rn(fminf(of_eight, kLargestEight) * kLargeUnits)};
}

__device__ inline SquareSum operator+(const SquareSum& a, const SquareSum& b) {
  return {a.small + b.small, a.large + b.large};
}

/// 1 / sqrt(mean of the squares).
__device__ inline float inverse_rms(const SquareSum& sum, float width) {
  const float small = __fmul_rn(__ull2float_rn(sum.small), 1.0F / kSmallUnits);
  const float large = __fmul_rn(__ull2float_rn(sum.large), 1.0F / kLargeUnits);
  return __fdiv_rn(1.0F, __fsqrt_rn(__fdiv_rn(__fadd_rn(small, large), width)));
}

/// Where an op writes what is normed next.
struct NextRows {
  NormedRows to;
  const float* weight;  // nullptr: nothing is
  SquareSum epsilon;
  int width;

  /// Has the L2 cache fetch what four neighbours are multiplied by.
  __device__ void prefetch(int i) const { asm volatile("prefetch.global.L2 [%0];" ::"l"(weight + i)); }

  /// Four neighbours of a token's row, of BF16.
  __device__ void put_four(int64_t token, int i, float4 x) const {
    const float4 w = *reinterpret_cast<const float4*>(weight + i);
    const __nv_bfloat162 low = __floats2bfloat162_rn(__fmul_rn(x.x, w.x), __fmul_rn(x.y, w.y));
    const __nv_bfloat162 high = __floats2bfloat162_rn(__fmul_rn(x.z, w.z), __fmul_rn(x.w, w.w));
    *reinterpret_cast<uint2*>(reinterpret_cast<__nv_bfloat16*>(to.rows) + token * width + i) =
        make_uint2(reinterpret_cast<const uint32_t&>(low), reinterpret_cast<const uint32_t&>(high));
  }

  /// The same by each of 16 lanes beside one another of their own four of the same token, those of a whole number of
  /// eights (there); what they sum up is added to the token's.
  __device__ void put_fours(int64_t token, int i, bool there, float4 x) const {
    const unsigned lanes = 0xffffU << (threadIdx.x & 16U);
    if (there) put_four(token, i, x);
    const float squares = there ? four_squares(x) : 0.0F;
    const float of_eight = __fadd_rn(squares, __shfl_xor_sync(lanes, squares, 1));
    SquareSum sum = square_sum(of_eight);
#pragma unroll
    for (int apart = 2; apart < 16; apart *= 2) sum.small += __shfl_xor_sync(lanes, sum.small, apart);
    if (__any_sync(lanes, sum.large != 0)) {
#pragma unroll
      for (int apart = 2; apart < 16; apart *= 2) sum.large += __shfl_xor_sync(lanes, sum.large, apart);
    }
    if ((threadIdx.x & 15U) != 0) return;
    if (i == 0) {
      sum = sum + epsilon;
      to.other[token] = {};
    }
    if (sum.small != 0) atomicAdd(&to.sums[token].small, sum.small);
    if (sum.large != 0) atomicAdd(&to.sums[token].large, sum.large);
  }
};

inline NextRows next_rows(const NextNorm& next) {
  if (next.weight == nullptr) return {};
  return {.to = normed_rows(next.out),
          .weight = next.weight,
          .epsilon = epsilon_squares(next.epsilon, next.out.width),
          .width = static_cast<int>(next.out.width)};
}

}  // namespace caravel::kernels::cuda
