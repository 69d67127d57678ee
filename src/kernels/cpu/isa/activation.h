#pragma once

// Included by the per-ISA sources alone.

#include "kernels/activation.h"

namespace caravel::kernels::CARAVEL_ISA {

/// out = f(g) * up, [count].
void gate(Activation activation, const float* g, const float* up, int64_t count, float* out);
/// out = f(x), [count].
void activate(Activation activation, const float* x, int64_t count, float* out);

}  // namespace caravel::kernels::CARAVEL_ISA
