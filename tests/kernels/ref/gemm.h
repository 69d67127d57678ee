#pragma once

#include <cstdint>
#include <vector>

#include "kernels/gemm.h"

/// The oracle: what the ops of gemm.h mean, in double precision and in no particular hurry.
namespace caravel::kernels::ref {

/// weight [out, in] and input [tokens, in] as values; result [tokens, out] = input * weight^T (+ bias [out]).
std::vector<double> gemm(const std::vector<float>& weight, const std::vector<float>& input, int64_t in,
                         const float* bias = nullptr);

/// The values that an input means once it is in the form that a GEMM reads: [tokens, width].
std::vector<float> input_values(const GemmInput& input, int64_t tokens);

}  // namespace caravel::kernels::ref
