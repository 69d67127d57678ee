#pragma once

#include <cstdint>

#include "kernels/gemm_input.h"

namespace caravel::kernels {

struct QuantizeInputArgs {
  const float* x;  // [tokens, out.width]
  int64_t tokens;
  GemmInput out;
};

}  // namespace caravel::kernels
