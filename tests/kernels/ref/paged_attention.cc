#include "kernels/ref/paged_attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace caravel::kernels::ref {

void attention(const AttentionArgs& args) {
  const int group_heads = args.heads / args.kv_heads;
  const int value_dim = args.value_dim > 0 ? args.value_dim : args.head_dim;
  std::vector<double> scores;
  for (int64_t query = 0; query < args.queries; ++query) {
    const int64_t position = args.context - args.queries + query;
    const int64_t begin = args.window > 0 ? std::max<int64_t>(0, position - args.window + 1) : 0;
    for (int head = 0; head < args.heads; ++head) {
      const double* q = args.q + (query * args.heads + head) * args.head_dim;
      double* out = args.out + (query * args.heads + head) * value_dim;
      const auto row = [&](const double* base, int64_t key, int dim) {
        return base + (key * args.kv_heads + head / group_heads) * dim;
      };
      scores.clear();
      for (int64_t key = begin; key <= position; ++key) {
        double score = 0;
        for (int d = 0; d < args.head_dim; ++d) score += q[d] * row(args.k, key, args.head_dim)[d];
        score *= args.scale;
        scores.push_back(args.soft_cap > 0 ? args.soft_cap * std::tanh(score / args.soft_cap) : score);
      }
      double max = *std::max_element(scores.begin(), scores.end());
      if (args.sinks != nullptr) max = std::max(max, args.sinks[head]);
      double sum = args.sinks != nullptr ? std::exp(args.sinks[head] - max) : 0;
      std::fill(out, out + value_dim, 0.0);
      for (int64_t key = begin; key <= position; ++key) {
        const double weight = std::exp(scores[static_cast<size_t>(key - begin)] - max);
        sum += weight;
        for (int d = 0; d < value_dim; ++d) out[d] += weight * row(args.v, key, value_dim)[d];
      }
      for (int d = 0; d < value_dim; ++d) out[d] /= sum;
    }
  }
}

}  // namespace caravel::kernels::ref
