#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace caravel::nuggets {

/// Rows of f32, such as embeddings, that somebody else keeps: [rows, width].
struct Matrix {
  std::span<const float> values;
  size_t width = 0;

  size_t rows() const { return width == 0 ? 0 : values.size() / width; }
  std::span<const float> row(size_t index) const { return values.subspan(index * width, width); }
};

/// Throws InvalidArgument, with the row, where a value is no finite number or so large that a sum of squares is none;
/// where the values are no whole rows.
void check_rows(const Matrix& matrix);

namespace internal {
// Sums side by side, which the compiler keeps in vectors, and which are added up in one order: the same bits always.
inline constexpr size_t kLanes = 16;

template <typename Term>
float sum_in_lanes(size_t count, Term&& term) {
  std::array<float, kLanes> sums = {};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += term(i + lane);
  }
  for (; i < count; ++i) sums[i % kLanes] += term(i);
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  }
  return sums[0];
}
}  // namespace internal

/// Both equally long.
inline float dot(std::span<const float> a, std::span<const float> b) {
  const float* const x = a.data();
  const float* const y = b.data();
  return internal::sum_in_lanes(a.size(), [x, y](size_t i) { return x[i] * y[i]; });
}

/// (a - b)^2, summed.
inline float squared_distance(std::span<const float> a, std::span<const float> b) {
  const float* const x = a.data();
  const float* const y = b.data();
  return internal::sum_in_lanes(a.size(), [x, y](size_t i) {
    const float difference = x[i] - y[i];
    return difference * difference;
  });
}

}  // namespace caravel::nuggets
