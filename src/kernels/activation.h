#pragma once

#include <cstdint>

namespace caravel::kernels {

/// What a feed-forward region puts between its matrices (gemm.h).
enum class Activation : uint8_t {
  kSilu,      // x / (1 + e^-x)
  kGeluTanh,  // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
  kGelu,      // x/2 (1 + erf(x/sqrt 2))
  // gpt-oss': of a gate g and an up u, f(g) u = min(g, 7) sigmoid(1.702 min(g, 7)) (clamp(u, -7, 7) + 1).
  kClampedSilu,
  kRelu,  // max(x, 0)
};

}  // namespace caravel::kernels
