#include "kernels/ref/logits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace caravel::kernels::ref {

double soft_cap(double logit, double cap) { return cap * std::tanh(logit / cap); }

double log_sum_exp(const float* logits, int64_t width) {
  const double max = *std::max_element(logits, logits + width);
  if (max == -std::numeric_limits<double>::infinity()) return max;
  double sum = 0;
  for (int64_t i = 0; i < width; ++i) sum += std::exp(logits[i] - max);
  return max + std::log(sum);
}

int32_t argmax(const float* logits, int64_t width) {
  return static_cast<int32_t>(std::max_element(logits, logits + width) - logits);
}

void top_k(const float* logits, int64_t width, int k, float* values, int32_t* indices) {
  std::vector<int32_t> order(static_cast<size_t>(width));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
  for (int i = 0; i < k; ++i) {
    indices[i] = order[static_cast<size_t>(i)];
    values[i] = logits[indices[i]];
  }
}

int32_t token_rank(const float* logits, int64_t width, int32_t token) {
  return 1 + static_cast<int32_t>(
                 std::count_if(logits, logits + width, [&](float logit) { return logit > logits[token]; }));
}

}  // namespace caravel::kernels::ref
