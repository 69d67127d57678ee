#include "kernels/ref/activation.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace caravel::kernels::ref {
namespace {

double silu(double x) { return x / (1 + std::exp(-x)); }

double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

double gelu(double x) { return 0.5 * x * std::erfc(-x / std::numbers::sqrt2); }

double clamped_silu(double x) {
  const double clamped = std::min(x, 7.0);
  return clamped / (1 + std::exp(-1.702 * clamped));
}

double activate(Activation activation, double x) {
  switch (activation) {
    case Activation::kSilu:
      return silu(x);
    case Activation::kGeluTanh:
      return gelu_tanh(x);
    case Activation::kGelu:
      return gelu(x);
    case Activation::kClampedSilu:
      return clamped_silu(x);
    case Activation::kRelu:
      return std::max(x, 0.0);
  }
  return 0;
}

/// What f(gate) is multiplied by.
double factor(Activation activation, double up) {
  return activation == Activation::kClampedSilu ? std::clamp(up, -7.0, 7.0) + 1 : up;
}

}  // namespace

void gated_activation(Activation activation, const float* gate_up, int64_t tokens, int64_t width, double* out) {
  for (int64_t t = 0; t < tokens; ++t) {
    const float* gate = gate_up + t * 2 * width;
    for (int64_t i = 0; i < width; ++i) {
      out[t * width + i] = activate(activation, gate[i]) * factor(activation, gate[width + i]);
    }
  }
}

}  // namespace caravel::kernels::ref
