#pragma once

#include <cstdint>
#include <vector>

/// The oracle: what the ops of kernels/gemm.h mean, in double precision and in no particular hurry.
namespace caravel::kernels::ref {

/// weight [out, in] and input [tokens, in] as values; result [tokens, out] = input * weight^T (+ bias [out]).
std::vector<double> gemm(const std::vector<float>& weight, const std::vector<float>& input, int64_t in,
                         const float* bias = nullptr);

}  // namespace caravel::kernels::ref
