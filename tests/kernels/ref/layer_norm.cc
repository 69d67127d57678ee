#include "kernels/ref/layer_norm.h"

#include <cmath>

namespace caravel::kernels::ref {

void layer_norm(const float* x, const float* added, const float* weight, const float* bias, double epsilon,
                int64_t tokens, int64_t width, double* out) {
  for (int64_t t = 0; t < tokens; ++t) {
    const auto y = [&](int64_t i) {
      return x[t * width + i] + (added != nullptr ? double{added[t * width + i]} : 0.0);
    };
    double sum = 0;
    for (int64_t i = 0; i < width; ++i) sum += y(i);
    const double mean = sum / static_cast<double>(width);
    double squares = 0;
    for (int64_t i = 0; i < width; ++i) squares += (y(i) - mean) * (y(i) - mean);
    const double deviation = std::sqrt(squares / static_cast<double>(width) + epsilon);
    for (int64_t i = 0; i < width; ++i) out[t * width + i] = (y(i) - mean) / deviation * weight[i] + bias[i];
  }
}

}  // namespace caravel::kernels::ref
