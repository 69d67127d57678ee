#pragma once

#include <cstdint>

#include "kernels/gemm_input.h"

namespace caravel::kernels {

struct LayerNormArgs {
  Tensor x;                             // f32 [tokens, width]
  const float* table = nullptr;         // [any, width]: rows that are added before, or nullptr
  const int32_t* table_rows = nullptr;  // [tokens]: which of them
  const float* weight = nullptr;        // [width]
  const float* bias = nullptr;          // [width]
  float epsilon = 1e-12F;
  Tensor out;      // f32 [tokens, width]; may be x
  GemmInput copy;  // the same once more, as the next GEMM reads it; without memory: none
};

/// out[t] = (y - mean(y)) / sqrt(variance(y) + epsilon) * weight + bias (Ba et al. 2016), where y = x[t], or x[t] +
/// table[table_rows[t]]: BERT's embeddings are words' and positions' together.
void layer_norm(Stream& stream, const LayerNormArgs& args);

}  // namespace caravel::kernels
