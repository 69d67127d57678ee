#include "kernels/ref/kv_cache.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace caravel::kernels::ref {

void rotary_angles(const int32_t* positions, const float* inverse_freq, double magnitude, int64_t tokens,
                   int rotary_dim, double* cos_sin) {
  for (int64_t t = 0; t < tokens; ++t) {
    for (int i = 0; i < rotary_dim / 2; ++i) {
      const double angle = static_cast<double>(positions[t]) * inverse_freq[i];
      *cos_sin++ = std::cos(angle) * magnitude;
      *cos_sin++ = std::sin(angle) * magnitude;
    }
  }
}

void prepare_head(double* head, int head_dim, const float* norm, double epsilon, const float* cos_sin, int rotary_dim,
                  RotaryStyle style) {
  if (norm != nullptr) {
    double sum = 0;
    for (int d = 0; d < head_dim; ++d) sum += head[d] * head[d];
    const double rms = std::sqrt(sum / head_dim + epsilon);
    for (int d = 0; d < head_dim; ++d) head[d] = head[d] / rms * norm[d];
  }
  if (cos_sin == nullptr) return;
  const int pairs = rotary_dim / 2;
  for (int i = 0; i < pairs; ++i) {
    double& a = head[style == RotaryStyle::kHalves ? i : 2 * i];
    double& b = head[style == RotaryStyle::kHalves ? i + pairs : 2 * i + 1];
    const double c = cos_sin[2 * i];
    const double s = cos_sin[2 * i + 1];
    const double rotated = a * c - b * s;
    b = b * c + a * s;
    a = rotated;
  }
}

namespace {

double round_to_float(KvDtype dtype, double x) {
  if (dtype == KvDtype::kF32) return static_cast<float>(x);
  if (x == 0) return x;
  const int mantissa_bits = dtype == KvDtype::kF16 ? 10 : dtype == KvDtype::kFp8 ? 3 : 7;
  // The smallest normal number's.
  const int least_exponent = dtype == KvDtype::kF16 ? -14 : dtype == KvDtype::kFp8 ? -6 : -126;
  const double largest = dtype == KvDtype::kF16 ? 65504.0 : 0x1.fep127;
  const double step = std::ldexp(1.0, std::max(std::ilogb(x), least_exponent) - mantissa_bits);
  const double rounded = std::nearbyint(x / step) * step;
  if (dtype == KvDtype::kFp8) return std::clamp(rounded, -448.0, 448.0);
  return std::abs(rounded) > largest ? std::copysign(std::numeric_limits<double>::infinity(), x) : rounded;
}

}  // namespace

void round_to(KvDtype dtype, double* x, int count) {
  if (dtype != KvDtype::kInt8) {
    for (int i = 0; i < count; ++i) x[i] = round_to_float(dtype, x[i]);
    return;
  }
  double max = 0;
  for (int i = 0; i < count; ++i) max = std::max(max, std::abs(x[i]));
  if (max == 0) return;
  for (int i = 0; i < count; ++i) x[i] = std::nearbyint(x[i] * 127 / max) * max / 127;
}

}  // namespace caravel::kernels::ref
