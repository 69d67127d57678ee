#pragma once

#include "kernels/activation.h"

namespace caravel::kernels::ref {

/// What gated_gemm (kernels/activation.h) makes of gate and up [tokens, 2 * width], in double precision, on host
/// memory; the tests' oracle.
void gated_activation(Activation activation, const float* gate_up, int64_t tokens, int64_t width, double* out);

}  // namespace caravel::kernels::ref
