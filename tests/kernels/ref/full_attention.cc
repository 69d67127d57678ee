#include "kernels/ref/full_attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace caravel::kernels::ref {
namespace {

/// One query over the keys and values of tokens begin .. end, all at one head's elements.
void attend(const FullAttentionArgs& args, const float* q, const float* keys, int64_t length, double* out) {
  const int64_t stride = args.qkv.stride;
  const int64_t width = static_cast<int64_t>(args.heads) * args.head_dim;
  std::vector<double> scores(static_cast<size_t>(length));
  for (int64_t t = 0; t < length; ++t) {
    double& score = scores[static_cast<size_t>(t)];
    for (int d = 0; d < args.head_dim; ++d) score += static_cast<double>(q[d]) * keys[t * stride + d];
    score *= args.scale;
  }
  const double top = *std::ranges::max_element(scores);
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - top);
  for (int d = 0; d < args.head_dim; ++d) {
    out[d] = 0;
    for (int64_t t = 0; t < length; ++t) {
      out[d] += scores[static_cast<size_t>(t)] / sum * keys[t * stride + width + d];
    }
  }
}

}  // namespace

void full_attention(const FullAttentionArgs& args, double* out) {
  const int64_t width = static_cast<int64_t>(args.heads) * args.head_dim;
  for (int s = 0; s < args.num_seqs; ++s) {
    const int64_t begin = args.starts[s];
    const int64_t end = args.starts[s + 1];
    for (int64_t t = begin; t < end; ++t) {
      for (int h = 0; h < args.heads; ++h) {
        const float* head = static_cast<const float*>(args.qkv.data) + h * args.head_dim;
        attend(args, head + t * args.qkv.stride, head + begin * args.qkv.stride + width, end - begin,
               out + t * width + h * args.head_dim);
      }
    }
  }
}

}  // namespace caravel::kernels::ref
