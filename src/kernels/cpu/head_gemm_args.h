#pragma once

#include <cstdint>

#include "kernels/cpu/packed_part.h"
#include "kernels/head_gemm.h"

namespace caravel::kernels {

/// Parts are those of the first head.
struct HeadGemmCpuArgs {
  PackedPart parts[PackedWeight::kMaxParts];
  int part_count;
  int64_t head_bytes;
  int64_t heads;
  int64_t in;
  GemmInput input;
  float* out;
  int64_t out_stride;
  int64_t head_stride;
};

}  // namespace caravel::kernels
