#pragma once

#include <cstdint>

#include "kernels/packed_weight.h"

namespace caravel::kernels {

struct EmbeddingArgs {
  const PackedWeight* table = nullptr;  // [vocabulary, width]
  const int32_t* ids = nullptr;         // [tokens]
  float scale = 1.0F;
  Tensor out;  // f32 [tokens, width]
};

/// out[t] = scale * table[ids[t]], dequantised.
void embedding(Stream& stream, const EmbeddingArgs& args);

}  // namespace caravel::kernels
