#pragma once

#include "kernels/gemm_input.h"

namespace caravel::kernels {

struct QuantizeInputArgs {
  Tensor x;
  GemmInput out;
};

}  // namespace caravel::kernels
