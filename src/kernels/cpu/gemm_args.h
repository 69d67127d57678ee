#pragma once

#include <cstdint>

#include "kernels/cpu/packed_part.h"
#include "kernels/gemm.h"

namespace caravel::kernels {

struct GemmCpuArgs {
  PackedPart parts[PackedWeight::kMaxParts];
  int part_count;
  int64_t in;
  GemmInput input;
  int64_t tokens;
  float* out;
  int64_t out_stride;
  const float* bias;
  bool accumulate;
};

struct GatedGemmCpuArgs {
  PackedPart gate;
  PackedPart up;
  int64_t in;
  GemmInput input;
  const float* bias;  // [2 * width] or nullptr
  Activation activation;
  int64_t tokens;
  int64_t width;
  GemmInput out;
};

struct ActivatedGemmCpuArgs {
  PackedPart weight;
  int64_t in;
  GemmInput input;
  const float* bias;  // [width] or nullptr
  Activation activation;
  int64_t tokens;
  int64_t width;
  GemmInput out;
};

}  // namespace caravel::kernels
