#pragma once

#include <cstdint>

#include "kernels/cpu/packed_part.h"
#include "kernels/expert_gemm.h"

namespace caravel::kernels {

/// Parts are those of the first expert.
struct ExpertGemmCpuArgs {
  PackedPart parts[PackedWeight::kMaxParts];
  int part_count;
  int64_t expert_bytes;
  GemmInput input;
  const int32_t* row_begin;  // [experts + 1]
  int experts;
  const float* bias;  // [experts, out_width] or nullptr
  float* out;
  int64_t out_width;
  int64_t out_stride;
};

struct GatedExpertGemmCpuArgs {
  PackedPart gate;
  PackedPart up;
  int64_t expert_bytes;
  GemmInput input;
  const int32_t* row_begin;  // [experts + 1]
  int experts;
  const float* bias;  // [experts, 2 * out.width] or nullptr
  Activation activation;
  GemmInput out;
};

}  // namespace caravel::kernels
