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

  /// The sum of weight row `row` for a token. Of a gated use: the gate's, and the sum of the same row of up.
  __device__ void store(int64_t token, int row, float sum, float up_sum) const {
    float value = with_bias(sum, row);
    if (use != GemmUse::kPlain) value = activate(activation, value);
    if (use == GemmUse::kGated) value = __fmul_rn(value, with_bias(up_sum, width + row));
    const int64_t at = token * stride + row;
    if (bf16) {
      auto* const to = static_cast<__nv_bfloat16*>(out) + at;
      if (accumulate) value = __fadd_rn(value, __bfloat162float(*to));
      *to = __float2bfloat16_rn(value);
    } else {
      float* const to = static_cast<float*>(out) + at;
      if (accumulate) value = __fadd_rn(value, *to);
      *to = value;
    }
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
