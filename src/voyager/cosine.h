#pragma once

#include <cstddef>
#include <vector>

namespace caravel::voyager {

/// The sum of products, in order and in double, so that it is the same everywhere; 0 of vectors of different lengths,
/// which are of different embedders. Of two unit vectors it is their cosine.
inline double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; a.size() == b.size() && i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

}  // namespace caravel::voyager
