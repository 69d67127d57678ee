#pragma once

#include "kernels/cpu/packed_part.h"

namespace caravel::kernels {

struct EmbeddingCpuArgs {
  PackedPart table;
  const int32_t* ids;
  int32_t first_id;
  float scale;
  Tensor out;
};

}  // namespace caravel::kernels
