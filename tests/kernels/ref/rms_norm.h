#pragma once

#include <cstdint>

namespace caravel::kernels::ref {

/// The contracts of kernels/rms_norm.h in double precision, on host memory; the tests' oracle.
void rms_norm(const float* x, const float* weight, double epsilon, int64_t tokens, int64_t width, double* out);

/// out = residual + norm(y), or residual + y without a weight.
void add_norm(const float* y, const float* post_weight, const float* residual, double epsilon, int64_t tokens,
              int64_t width, double* out);

}  // namespace caravel::kernels::ref
