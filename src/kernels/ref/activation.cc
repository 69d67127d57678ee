#include "kernels/ref/activation.h"

#include <cmath>
#include <numbers>

namespace caravel::kernels::ref {
namespace {

double silu(double x) { return x / (1 + std::exp(-x)); }

double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

}  // namespace

void gated_activation(Activation activation, const float* gate_up, int64_t tokens, int64_t width, double* out) {
  for (int64_t t = 0; t < tokens; ++t) {
    const float* gate = gate_up + t * 2 * width;
    for (int64_t i = 0; i < width; ++i) {
      const double value = activation == Activation::kSilu ? silu(gate[i]) : gelu_tanh(gate[i]);
      out[t * width + i] = value * gate[width + i];
    }
  }
}

}  // namespace caravel::kernels::ref
