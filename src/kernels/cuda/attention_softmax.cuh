#pragma once

#include <cstdint>

#include "kernels/cuda/common.cuh"

// Whatever computes a row does these operations and no others: they are not left to the compiler to contract. A split's
// state is its largest score (to the base of 2), the sum of its weights, and its weighted values; states are merged in
// order (Milakov and Gimelshein 2018).

namespace caravel::kernels::cuda {

/// How the product of a query and a key becomes a score, of which 2^(factor * score) is the weight.
struct ScoreArithmetic {
  float factor = 1.0F;
  float soft_cap = 0.0F;  // 0: the score is the product
  float inner = 1.0F;     // what a product is multiplied by before tanh

  __device__ __forceinline__ float cap(float product) const {
    return __fmul_rn(tanhf(__fmul_rn(product, inner)), soft_cap);
  }
};

/// Softmax of scores * scale, or of soft_cap * tanh(scores * scale / soft_cap).
inline ScoreArithmetic score_arithmetic(float scale, float soft_cap) {
  constexpr float kLog2E = 1.4426950408889634F;
  if (soft_cap > 0.0F) return {kLog2E, soft_cap, scale / soft_cap};
  return {scale * kLog2E, 0.0F, 1.0F};
}

__device__ __forceinline__ float exp2_of(float x) {
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

/// A split's largest score, to the base of 2: minus infinity where it has seen no key.
__device__ __forceinline__ float split_max(float largest, float factor) { return __fmul_rn(largest, factor); }
/// What weights are relative to.
__device__ __forceinline__ float weight_base(float split_max) {
  return split_max == -__builtin_inff() ? 0.0F : split_max;
}
__device__ __forceinline__ float weight_of(float score, float factor, float base) {
  return exp2_of(__fmaf_rn(score, factor, -base));
}

/// Of the four lanes that a row's elements lie with.
__device__ __forceinline__ float row_largest(float x) {
  x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, 1));
  return fmaxf(x, __shfl_xor_sync(kAllLanes, x, 2));
}
/// parts: a lane's sums of the weights of 16 keys each, of which it has four: two and two.
__device__ __forceinline__ float row_sum(const float (&parts)[8]) {
  const float low = __fadd_rn(__fadd_rn(parts[0], parts[1]), __fadd_rn(parts[2], parts[3]));
  const float high = __fadd_rn(__fadd_rn(parts[4], parts[5]), __fadd_rn(parts[6], parts[7]));
  float x = __fadd_rn(low, high);
  x = __fadd_rn(x, __shfl_xor_sync(kAllLanes, x, 1));
  return __fadd_rn(x, __shfl_xor_sync(kAllLanes, x, 2));
}

/// What two partial sums are multiplied by when they come together.
struct MergeFactors {
  float keep;
  float add;
};

/// Of a state with maximum `part` that joins one with `total`; a state that has seen nothing (-infinity) changes none.
__device__ __forceinline__ MergeFactors merge_max(float& total, float part) {
  if (part == -__builtin_inff()) return {1.0F, -0.0F};
  const float max = fmaxf(total, part);
  const MergeFactors factors = {exp2_of(__fsub_rn(total, max)), exp2_of(__fsub_rn(part, max))};
  total = max;
  return factors;
}
__device__ __forceinline__ float merge(float total, float part, const MergeFactors& factors) {
  return __fmaf_rn(part, factors.add, __fmul_rn(total, factors.keep));
}

/// What a row's merged values are multiplied by at last.
__device__ __forceinline__ float inverse_of(float total_sum) { return __frcp_rn(total_sum); }
/// The same where one more score, of a key whose value is zero, joins the row: `sink`, to the base of 2.
__device__ __forceinline__ float inverse_of(float total_sum, float total_max, float sink) {
  const MergeFactors factors = merge_max(total_max, sink);
  return __fmul_rn(factors.keep, __frcp_rn(merge(total_sum, 1.0F, factors)));
}

}  // namespace caravel::kernels::cuda
