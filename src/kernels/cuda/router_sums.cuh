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
  __device__ __forceinline__ float factor(int64_t token) const { return factor_of(squares + token * kRouterShares); }
  /// The same of the shares of a token's squares.
  __device__ __forceinline__ float factor_of(const float* shares) const {
    const float mean = __fdiv_rn(added_up(shares, 1), static_cast<float>(width));
    return __fdiv_rn(1.0F, __fsqrt_rn(__fadd_rn(mean, epsilon)));
  }
  __device__ __forceinline__ float logit(int64_t token, int row, float factor) const {
    const float sum = added_up(sums + token * kRouterShares * rows + row, rows);
    const float logit = __fmul_rn(sum, factor);
    return bias != nullptr ? __fadd_rn(logit, bias[row]) : logit;
  }
  /// All of a token's, by a warp.
  __device__ void write_logits(const Tensor& logits, int64_t token, float factor) const {
    float* const to = static_cast<float*>(logits.data) + token * logits.stride;
    for (int row = static_cast<int>(threadIdx.x) % kWarp; row < rows; row += kWarp) to[row] = logit(token, row, factor);
  }

 private:
  static __device__ __forceinline__ float added_up(const float* shares, int stride) {
    static_assert(kRouterShares == 4);
    return __fadd_rn(__fadd_rn(shares[0], shares[stride]), __fadd_rn(shares[2 * stride], shares[3 * stride]));
  }
};

/// What route() works with, in its workspace.
inline RouterSums router_sums(const RouteArgs& args) {
  auto* const sums = reinterpret_cast<float*>(args.workspace);
  return {.sums = sums,
          .squares = sums + args.table.tokens * kRouterShares * args.router->out(),
          .bias = args.router_bias,
          .rows = static_cast<int>(args.router->out()),
          .width = static_cast<int>(args.router->in()),
          .epsilon = args.norm_epsilon};
}

inline ChooseExpertsArgs choice_by(const RouteArgs& args) {
  return {.logits = args.logits, .choice_bias = args.choice_bias, .rule = args.rule, .table = args.table};
}

/// Checks what route() is given. Writes `sums` and `squares` of all tokens. by_token: their normed rows, too, in order,
/// to the beginning of RouteArgs::rows and to `shared`.
void sum_router(Stream& stream, const RouteArgs& args, const RouterSums& to, bool by_token);

}  // namespace caravel::kernels::cuda
