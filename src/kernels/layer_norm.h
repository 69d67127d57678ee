#pragma once

#include <cstdint>

#include "kernels/gemm_input.h"

namespace caravel::kernels {

struct LayerNormArgs {
  Tensor x;                             // f32 [any, width]
  const int32_t* rows = nullptr;        // [tokens]: output row t norms row rows[t] of x; nullptr: row t
  const float* table = nullptr;         // [any, width]: rows that are added before, or nullptr
  const int32_t* table_rows = nullptr;  // [tokens]: which of them
  const float* weight = nullptr;        // [width]
  const float* bias = nullptr;          // [width]
  float epsilon = 1e-12F;
  Tensor out;      // f32 [tokens, width]; may be x where there are no `rows`; without memory: none, and no table
  GemmInput copy;  // the same, as the next GEMM reads it; without memory: none
};

/// out[t] = (y - mean(y)) / sqrt(variance(y) + epsilon) * weight + bias (Ba et al. 2016), where y = x[t], or x[t] +
/// table[table_rows[t]]: BERT's embeddings are words' and positions' together. An encoder's residual stream is normed
/// in place and copied; a decoder's stays as it is, and only the copy is made.
void layer_norm(Stream& stream, const LayerNormArgs& args);

}  // namespace caravel::kernels
