#pragma once

#include "kernels/cpu/packed_part.h"

namespace caravel::kernels {

struct EmbeddingCpuArgs {
  PackedPart table;
  const int32_t* ids;
  int32_t first_id;
  float scale;
  const float* added;
  const int32_t* added_rows;
  Tensor out;
};

}  // namespace caravel::kernels
