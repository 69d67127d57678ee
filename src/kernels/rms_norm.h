#pragma once

#include <cstdint>

#include "kernels/gemm_input.h"

namespace caravel::kernels {

struct RmsNormArgs {
  Tensor x;                       // [any, width]: f32, or product_dtype() (gemm.h) where `out` is not `normed`
  const int32_t* rows = nullptr;  // [tokens]: output row t norms row rows[t] of x; nullptr: row t
  const float* weight = nullptr;  // [width]
  float epsilon = 1e-5F;
  GemmInput out;  // [tokens, width]
};

/// out[t] = x[t] / sqrt(mean(x[t]^2) + epsilon) * weight (Zhang and Sennrich 2019), in the form the next GEMM reads.
void rms_norm(Stream& stream, const RmsNormArgs& args);

/// A norm of what an op writes into the residual stream: of its rows once they are whole, what rms_norm() of them
/// gives, to the bit. So a GEMM that ends a branch may begin the next one's (the fusion of DeepSpeed-Inference, SC'22,
/// section III): a device may hand on rows that are not divided yet and sums of their squares, for the next GEMM to
/// divide by.
///
/// Such sums grow as rows do, in memory that must be zero before. So inputs that are `normed` take turns in the same
/// memory: who writes one of either turn leaves the memory ready for one of the other, of as many tokens. rms_norm(),
/// add_norm() and join_rows() (expert_rows.h) need nothing to be ready, and begin.
struct NextNorm {
  const float* weight = nullptr;  // [width], or nullptr: none
  float epsilon = 1e-5F;
  GemmInput out;  // [tokens, width], normed
};

/// The norm on its own, in a region of the profile: what a device does that does not take it into the op before.
void next_norm(Stream& stream, const Tensor& x, const NextNorm& next);

struct AddNormArgs {
  Tensor y;                            // [tokens, width]: what a branch gave, in product_dtype() (gemm.h)
  const float* post_weight = nullptr;  // [width]: norm of the branch before it is added (Gemma), or nullptr
  Tensor residual;                     // f32 [tokens, width]: residual += norm(y) or y
  float epsilon = 1e-5F;
  NextNorm next;  // of the residual
};

/// The end of a branch whose output is normed before it joins the residual stream (sandwich norm).
void add_norm(Stream& stream, const AddNormArgs& args);

}  // namespace caravel::kernels
