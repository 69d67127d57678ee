#pragma once

#include <cstdint>

#include "kernels/gemm_input.h"

namespace caravel::kernels {

struct RmsNormArgs {
  Tensor x;                       // f32 [any, width]
  const int32_t* rows = nullptr;  // [tokens]: output row t norms row rows[t] of x; nullptr: row t
  const float* weight = nullptr;  // [width]
  float epsilon = 1e-5F;
  GemmInput out;  // [tokens, width]
};

/// out[t] = x[t] / sqrt(mean(x[t]^2) + epsilon) * weight (Zhang and Sennrich 2019), in the form the next GEMM reads.
void rms_norm(Stream& stream, const RmsNormArgs& args);

struct AddNormArgs {
  Tensor y;                            // [tokens, width]: what a branch gave, in product_dtype() (gemm.h)
  const float* post_weight = nullptr;  // [width]: norm of the branch before it is added (Gemma), or nullptr
  Tensor residual;                     // f32 [tokens, width]: residual += norm(y) or y
  float epsilon = 1e-5F;
};

/// The end of a branch whose output is normed before it joins the residual stream (sandwich norm).
void add_norm(Stream& stream, const AddNormArgs& args);

}  // namespace caravel::kernels
