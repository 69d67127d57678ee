#pragma once

#include <span>

namespace caravel {

/// Linear between the two nearest ranks, as numpy's. `sorted` ascending; share in [0, 1]; 0 of nothing.
double percentile(std::span<const double> sorted, double share);

}  // namespace caravel
