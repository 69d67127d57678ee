#include "kernels/ref/expert_rows.h"

#include <cmath>

namespace caravel::kernels::ref {

std::vector<double> join_rows(const std::vector<float>& rows, int64_t width, const std::vector<float>& weights,
                              const std::vector<int32_t>& places, int per_token, const std::vector<float>& shared,
                              const std::vector<float>& shared_gate, const std::vector<float>& before) {
  const size_t columns = static_cast<size_t>(width);
  const size_t tokens = places.size() / static_cast<size_t>(per_token);
  std::vector<double> out(tokens * columns);
  for (size_t t = 0; t < tokens; ++t) {
    const double gate = shared_gate.empty() ? 1.0 : 1 / (1 + std::exp(-static_cast<double>(shared_gate[t])));
    for (size_t i = 0; i < columns; ++i) {
      double sum = before.empty() ? 0.0 : before[t * columns + i];
      if (!shared.empty()) sum += gate * shared[t * columns + i];
      for (size_t k = t * static_cast<size_t>(per_token); k < (t + 1) * static_cast<size_t>(per_token); ++k) {
        sum += static_cast<double>(weights[k]) * rows[static_cast<size_t>(places[k]) * columns + i];
      }
      out[t * columns + i] = sum;
    }
  }
  return out;
}

}  // namespace caravel::kernels::ref
