#pragma once

#include <cuda_bf16.h>

#include <cstdint>

#include "kernels/activation.h"
#include "kernels/cuda/gemm_tasks.h"
#include "kernels/cuda/kv_row.cuh"
#include "kernels/cuda/next_rows.cuh"

namespace caravel::kernels::cuda {

/// f(x) as kernels/activation.h has it, in a form that does not cancel; of several values side by side, so that they do
/// not wait for each other. The division is the processor's fast one, off by two units in the last place at most; every
/// rounding is spelled out, so that fused and unfused uses agree to the bit.
template <int kCount>
__device__ inline void activate(Activation activation, float (&x)[kCount]) {
  switch (activation) {
    case Activation::kSilu:
#pragma unroll
      for (float& value : x) value = __fdividef(value, __fadd_rn(1.0F, expf(-value)));
      return;
    case Activation::kGeluTanh:
#pragma unroll
      for (float& value : x) {
        // x / (1 + e^-2u) with u = sqrt(2/pi) (x + 0.044715 x^3)
        const float cubic = __fmaf_rn(__fmul_rn(__fmul_rn(0.044715F, value), value), value, value);
        value = __fdividef(value, __fadd_rn(1.0F, expf(__fmul_rn(-2.0F * 0.7978845608028654F, cubic))));
      }
      return;
    case Activation::kGelu:
#pragma unroll
      for (float& value : x) {
        value = __fmul_rn(__fmul_rn(0.5F, value), erfcf(__fmul_rn(-0.70710678118654752F, value)));
      }
      return;
    case Activation::kClampedSilu:
#pragma unroll
      for (float& value : x) {
        value = value > 7.0F ? 7.0F : value;  // NaN stays
        value = __fdividef(value, __fadd_rn(1.0F, expf(__fmul_rn(-1.702F, value))));
      }
      return;
    case Activation::kRelu:
#pragma unroll
      for (float& value : x) value = value < 0.0F ? 0.0F : value;  // NaN stays
      return;
  }
}

/// What of an up f(g) is multiplied by.
__device__ inline float gated_factor(Activation activation, float up) {
  if (activation != Activation::kClampedSilu) return up;
  const float below = up > 7.0F ? 7.0F : up;
  return __fadd_rn(below < -7.0F ? -7.0F : below, 1.0F);
}

__device__ inline float4 times(float4 x, float factor) {
  return make_float4(__fmul_rn(x.x, factor), __fmul_rn(x.y, factor), __fmul_rn(x.z, factor), __fmul_rn(x.w, factor));
}

/// Where sums go.
struct GemmOutput {
  void* out;
  int64_t stride;  // elements
  const float* bias;
  int width;          // rows of the gate: where up's bias begins
  int expert_biases;  // from one expert's bias to the next one's
  GemmUse use;
  Activation activation;
  bool accumulate;
  bool bf16;
  const SquareSum* sums;  // of the tokens' inputs, where these are normed; or nullptr
  float input_width;
  NextRows next;
  HeadsOutput heads;  // of GemmUse::kQkv

  /// What a token's sums are multiplied by before anything else; seen once the kernel before is done.
  __device__ float factor(int64_t token) const {
    return sums != nullptr ? inverse_rms(sums[token], input_width) : 1.0F;
  }

  __device__ float with_bias(float sum, int row) const { return bias != nullptr ? __fadd_rn(sum, bias[row]) : sum; }

  /// Whether four rows from `row` on, a multiple of four, have sums that store_four() takes: aligned to their size.
  __device__ bool takes_fours(int first_row) const {
    return ((reinterpret_cast<uintptr_t>(out) & 15) | (stride & 3) | (first_row & 3)) == 0;
  }

  /// The same of eight, which put_eight() takes.
  __device__ bool takes_eights(int first_row) const {
    return ((reinterpret_cast<uintptr_t>(out) & 15) | (stride & 7) | (first_row & 7)) == 0;
  }

  /// Stores eight neighbours of bf16 as they are.
  __device__ void put_eight(int64_t token, int row, uint4 value) const {
    *reinterpret_cast<uint4*>(static_cast<__nv_bfloat16*>(out) + token * stride + row) = value;
  }

  /// The same of eight that are aligned to eight bytes alone.
  __device__ void put_eight_by_fours(int64_t token, int row, const float (&x)[8]) const {
    put_four(token, row, make_float4(x[0], x[1], x[2], x[3]));
    put_four(token, row + 4, make_float4(x[4], x[5], x[6], x[7]));
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

  /// Of an expert's neighbouring rows from `row` on: makes of their sums for a token what is stored, or added to what
  /// is there. Of a gated use the sums are the gate's, and up_sums those of the same rows of up.
  template <int kRows>
  __device__ void finish(int expert, int row, float (&sums)[kRows], const float (&up_sums)[kRows]) const {
    row += expert * expert_biases;
#pragma unroll
    for (int i = 0; i < kRows; ++i) sums[i] = with_bias(sums[i], row + i);
    if (use == GemmUse::kPlain) return;
    activate(activation, sums);
    if (use != GemmUse::kGated) return;
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      sums[i] = __fmul_rn(sums[i], gated_factor(activation, with_bias(up_sums[i], width + row + i)));
    }
  }

  /// As store() of four rows; before: what is there, where that is to be added to. Gives what is there then.
  __device__ float4 store_four(int expert, int64_t token, int row, float4 sum, float4 up_sum, float4 before) const {
    float sums[4] = {sum.x, sum.y, sum.z, sum.w};
    const float up_sums[4] = {up_sum.x, up_sum.y, up_sum.z, up_sum.w};
    finish(expert, row, sums, up_sums);
    float4 result = make_float4(sums[0], sums[1], sums[2], sums[3]);
    if (accumulate) result = sum_of(result, before);
    put_four(token, row, result);
    return result;
  }

  /// The sum of an expert's row `row` for a token.
  __device__ void store(int expert, int64_t token, int row, float sum, float up_sum) const {
    float sums[1] = {sum};
    const float up_sums[1] = {up_sum};
    finish(expert, row, sums, up_sums);
    float result = sums[0];
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
          .expert_biases = static_cast<int>(task.weight->out()),
          .use = task.use,
          .activation = task.activation,
          .accumulate = task.accumulate,
          .bf16 = task.out.dtype == DType::kBF16,
          .sums = task.input_sums,
          .input_width = static_cast<float>(task.input.width),
          .next = next_rows(task.next),
          .heads = task.rotary != nullptr ? heads_output(*task.rotary) : HeadsOutput{}};
}

}  // namespace caravel::kernels::cuda
