#pragma once

#include <cstdint>

#include "kernels/cpu/packed_part.h"
#include "kernels/gemm.h"

namespace caravel::kernels {

struct GemmCpuArgs {
  PackedPart parts[PackedWeight::kMaxParts];
  int part_count;
  GemmInput input;
  const float* bias;  // or nullptr
  bool accumulate;
  float* out;
  int64_t out_stride;
};

struct GatedGemmCpuArgs {
  PackedPart gate;
  PackedPart up;
  GemmInput input;
  const float* bias;  // [2 * out.width] or nullptr
  Activation activation;
  GemmInput out;
};

struct ActivatedGemmCpuArgs {
  PackedPart weight;
  GemmInput input;
  const float* bias;  // [out.width] or nullptr
  Activation activation;
  GemmInput out;
};

}  // namespace caravel::kernels
