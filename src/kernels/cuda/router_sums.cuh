#pragma once

#include <cstdint>

#include "kernels/cuda/common.cuh"
#include "kernels/route.h"

namespace caravel::kernels::cuda {

/// Shares of the width that blocks sum up apart.
inline constexpr int kRouterShares = 4;

/// What becomes the router's logits and the norm's factors: sums over shares of the width, which are added up in order
/// whoever asks for one.
struct RouterSums {
  float* sums;        // [tokens, kRouterShares, rows]: of rows times the norm's weight, not divided yet
  float* squares;     // [tokens, kRouterShares]
  const float* bias;  // [rows], or nullptr
  int rows;
  int width;
  float epsilon;

  /// What the norm multiplies a token's row by.
  __device__ __forceinline__ float factor(int64_t token) const {
    const float mean = __fdiv_rn(added_up(squares + token * kRouterShares, 1), static_cast<float>(width));
    return __fdiv_rn(1.0F, __fsqrt_rn(__fadd_rn(mean, epsilon)));
  }
  __device__ __forceinline__ float logit(int64_t token, int row, float factor) const {
    const float sum = added_up(sums + token * kRouterShares * rows + row, rows);
    const float logit = __fmul_rn(sum, factor);
    return bias != nullptr ? __fadd_rn(logit, bias[row]) : logit;
  }

 private:
  static __device__ __forceinline__ float added_up(const float* shares, int stride) {
    static_assert(kRouterShares == 4);
    return __fadd_rn(__fadd_rn(shares[0], shares[stride]), __fadd_rn(shares[2 * stride], shares[3 * stride]));
  }
};

/// Writes `sums` and `squares` of all tokens.
void sum_router(Stream& stream, const RouteArgs& args, const RouterSums& to);

}  // namespace caravel::kernels::cuda
