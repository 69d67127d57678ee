#pragma once

#include <cstdint>

namespace caravel::kernels {

/// What a feed-forward region puts between its matrices (gemm.h).
enum class Activation : uint8_t {
  kSilu,      // x / (1 + e^-x)
  kGeluTanh,  // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
  kGelu,      // x/2 (1 + erf(x/sqrt 2))
};

}  // namespace caravel::kernels
