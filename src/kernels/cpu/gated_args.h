#pragma once

#include "kernels/activation.h"
#include "kernels/cpu/gemm_args.h"

namespace caravel::kernels {

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
