#pragma once

#include "kernels/cpu/packed_part.h"

namespace caravel::kernels {

struct EmbeddingCpuArgs {
  PackedPart table;
  int64_t width;
  const int32_t* ids;
  int64_t tokens;
  float scale;
  float* out;
};

}  // namespace caravel::kernels
