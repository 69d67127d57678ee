#pragma once

#include <cstdint>

namespace caravel::kernels::ref {

/// The contract of kernels/layer_norm.h in double precision, on host memory; the tests' oracle. added: [tokens, width],
/// or nullptr.
void layer_norm(const float* x, const float* added, const float* weight, const float* bias, double epsilon,
                int64_t tokens, int64_t width, double* out);

}  // namespace caravel::kernels::ref
