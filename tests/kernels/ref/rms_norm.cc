#include "kernels/ref/rms_norm.h"

#include <cmath>

namespace caravel::kernels::ref {

void rms_norm(const float* x, const float* weight, double epsilon, int64_t tokens, int64_t width, double* out) {
  for (int64_t t = 0; t < tokens; ++t, x += width, out += width) {
    double sum = 0;
    for (int64_t i = 0; i < width; ++i) sum += static_cast<double>(x[i]) * x[i];
    const double rms = std::sqrt(sum / static_cast<double>(width) + epsilon);
    for (int64_t i = 0; i < width; ++i) out[i] = x[i] / rms * weight[i];
  }
}

void add_norm(const float* y, const float* post_weight, const float* residual, double epsilon, int64_t tokens,
              int64_t width, double* out) {
  if (post_weight != nullptr) {
    rms_norm(y, post_weight, epsilon, tokens, width, out);
  } else {
    for (int64_t i = 0; i < tokens * width; ++i) out[i] = y[i];
  }
  for (int64_t i = 0; i < tokens * width; ++i) out[i] += residual[i];
}

}  // namespace caravel::kernels::ref
