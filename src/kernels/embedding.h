#pragma once

#include <cstdint>

#include "kernels/packed_weight.h"

namespace caravel::kernels {

struct EmbeddingArgs {
  const PackedWeight* table = nullptr;  // [ids, width]: of the ids first_id and those that follow
  const int32_t* ids = nullptr;         // [tokens]
  int32_t first_id = 0;
  float scale = 1.0F;
  const float* added = nullptr;         // [any, width]: rows that are added, learned positions', or nullptr
  const int32_t* added_rows = nullptr;  // [tokens]: which of them
  Tensor out;                           // f32 [tokens, width]
};

/// out[t] = scale * table[ids[t] - first_id], dequantised; zeros for an id that the table does not hold, so that the
/// sum over ranks, each with a part of the vocabulary, is the whole table's. Then += added[added_rows[t]].
void embedding(Stream& stream, const EmbeddingArgs& args);

}  // namespace caravel::kernels
