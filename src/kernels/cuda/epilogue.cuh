#pragma once

#include <cuda_bf16.h>

#include <cstdint>

#include "kernels/activation.h"
#include "kernels/cuda/gemm_tasks.h"

namespace caravel::kernels::cuda {

/// f(x) as kernels/activation.h has it, in a form that does not cancel. Every rounding is spelled out, so that fused
/// and unfused uses agree to the bit.
__device__ inline float activate(Activation activation, float x) {
  switch (activation) {
    case Activation::kSilu:
      return __fdiv_rn(x, __fadd_rn(1.0F, expf(-x)));
    case Activation::kGeluTanh: {
      // x / (1 + e^-2u) with u = sqrt(2/pi) (x + 0.044715 x^3)
      const float cubic = __fmaf_rn(__fmul_rn(__fmul_rn(0.044715F, x), x), x, x);
      return __fdiv_rn(x, __fadd_rn(1.0F, expf(__fmul_rn(-2.0F * 0.7978845608028654F, cubic))));
    }
    case Activation::kGelu:
      return __fmul_rn(__fmul_rn(0.5F, x), erfcf(__fmul_rn(-0.70710678118654752F, x)));
  }
  return 0.0F;
}

/// Where sums go.
struct GemmOutput {
  void* out;
  int64_t stride;  // elements
  const float* bias;
  int width;  // rows of the gate: where up's bias begins
  GemmUse use;
  Activation activation;
  bool accumulate;
  bool bf16;

  __device__ float with_bias(float sum, int row) const { return bias != nullptr ? __fadd_rn(sum, bias[row]) : sum; }

  /// Whether four rows from `row` on, a multiple of four, have sums that store_four() takes: aligned to their size.
  __device__ bool takes_fours(int first_row) const {
    return ((reinterpret_cast<uintptr_t>(out) & 15) | (stride & 3) | (first_row & 3)) == 0;
  }

  /// What sums of four rows from `row` on are added to.
  __device__ float4 four(int64_t token, int row) const {
    const int64_t at = token * stride + row;
    if (!bf16) return *reinterpret_cast<const float4*>(static_cast<const float*>(out) + at);
    const uint2 pairs = *reinterpret_cast<const uint2*>(static_cast<const __nv_bfloat16*>(out) + at);
    return make_float4(__uint_as_float(pairs.x << 16), __uint_as_float(pairs.x & 0xffff0000U),
                       __uint_as_float(pairs.y << 16), __uint_as_float(pairs.y & 0xffff0000U));
  }

  __device__ void put_four(int64_t token, int row, float4 value) const {
    const int64_t at = token * stride + row;
    if (!bf16) {
      *reinterpret_cast<float4*>(static_cast<float*>(out) + at) = value;
      return;
    }
    const __nv_bfloat162 low = __floats2bfloat162_rn(value.x, value.y);
    const __nv_bfloat162 high = __floats2bfloat162_rn(value.z, value.w);
    *reinterpret_cast<uint2*>(static_cast<__nv_bfloat16*>(out) + at) =
        make_uint2(reinterpret_cast<const uint32_t&>(low), reinterpret_cast<const uint32_t&>(high));
  }

  /// A value before what is there is added.
  __device__ float value(int row, float sum, float up_sum) const {
    float result = with_bias(sum, row);
    if (use != GemmUse::kPlain) result = activate(activation, result);
    if (use == GemmUse::kGated) result = __fmul_rn(result, with_bias(up_sum, width + row));
    return result;
  }

  /// As store() of four rows.
  __device__ void store_four(int64_t token, int row, const float* sums, const float* up_sums) const {
    float4 result = make_float4(value(row, sums[0], up_sums[0]), value(row + 1, sums[1], up_sums[1]),
                                value(row + 2, sums[2], up_sums[2]), value(row + 3, sums[3], up_sums[3]));
    if (accumulate) result = sum_of(result, four(token, row));
    put_four(token, row, result);
  }

  /// As store() of four rows, where nothing but a bias is to be done before the sum is added to `before`.
  __device__ void add_four(int64_t token, int row, float4 sum, float4 before) const {
    put_four(token, row, sum_of(make_float4(with_bias(sum.x, row), with_bias(sum.y, row + 1), with_bias(sum.z, row + 2),
                                            with_bias(sum.w, row + 3)),
                                before));
  }

  /// The sum of weight row `row` for a token. Of a gated use: the gate's, and the sum of the same row of up.
  __device__ void store(int64_t token, int row, float sum, float up_sum) const {
    float result = value(row, sum, up_sum);
    const int64_t at = token * stride + row;
    if (bf16) {
      auto* const to = static_cast<__nv_bfloat16*>(out) + at;
      if (accumulate) result = __fadd_rn(result, __bfloat162float(*to));
      *to = __float2bfloat16_rn(result);
    } else {
      float* const to = static_cast<float*>(out) + at;
      if (accumulate) result = __fadd_rn(result, *to);
      *to = result;
    }
  }

  __device__ static float4 sum_of(float4 a, float4 b) {
    return make_float4(__fadd_rn(a.x, b.x), __fadd_rn(a.y, b.y), __fadd_rn(a.z, b.z), __fadd_rn(a.w, b.w));
  }
};

inline GemmOutput gemm_output(const GemmTask& task) {
  return {.out = task.out.data,
          .stride = task.out.stride,
          .bias = task.bias,
          .width = static_cast<int>(task.out.width),
          .use = task.use,
          .activation = task.activation,
          .accumulate = task.accumulate,
          .bf16 = task.out.dtype == DType::kBF16};
}

}  // namespace caravel::kernels::cuda
