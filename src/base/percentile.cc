#include "base/percentile.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace caravel {

double percentile(std::span<const double> sorted, double share) {
  if (sorted.empty()) return 0;
  const double rank = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(rank);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], rank - std::floor(rank));
}

}  // namespace caravel
