#include "kernels/cpu/full_attention_workspace.h"
#include "kernels/cpu/isa/simd.h"

namespace caravel::kernels::CARAVEL_ISA {

void full_attention(const FullAttentionArgs& args, int rank, int size);

namespace {

/// Queries whose sums fit in the registers, two vectors each, beside two of keys.
constexpr int kQueries = kLanes == 16 ? kAttentionQueries : 4;

/// One head of one sequence, with its keys transposed and its values side by side.
struct Head {
  int64_t length;
  int64_t padded;  // floats from one element of the keys to the next
  int dim;
  int64_t value_stride;
  const float* q;  // the first query
  int64_t q_stride;
  float* keys;    // [dim, padded], zeros behind the length
  float* values;  // [length, value_stride], zeros behind dim
  float* scores;  // [kQueries, padded]
};

void pack(const float* k, const float* v, int64_t stride, const Head& head) {
  const int64_t end = (head.length + 2 * kLanes - 1) / (2 * kLanes) * (2 * kLanes);  // that the tiles read
  for (int d = 0; d < head.dim; ++d) {
    for (int64_t t = head.length; t < end; ++t) head.keys[d * head.padded + t] = 0.0F;
  }
  for (int64_t t = 0; t < head.length; ++t) {
    for (int d = 0; d < head.dim; ++d) head.keys[d * head.padded + t] = k[t * stride + d];
    float* value = head.values + t * head.value_stride;
    for (int d = 0; d < head.dim; ++d) value[d] = v[t * stride + d];
    for (int64_t d = head.dim; d < head.value_stride; ++d) value[d] = 0.0F;
  }
}

/// scores[q][t] = query q . key t, for kCount queries from the first on and all keys.
template <int kCount>
void score(const Head& head, int64_t first) {
  for (int64_t t = 0; t < head.length; t += 2 * kLanes) {
    F32 sums[kCount][2];
#pragma GCC unroll 8
    for (int q = 0; q < kCount; ++q) sums[q][0] = sums[q][1] = zero();
    for (int d = 0; d < head.dim; ++d) {
      const F32 low = load(head.keys + d * head.padded + t);
      const F32 high = load(head.keys + d * head.padded + t + kLanes);
#pragma GCC unroll 8
      for (int q = 0; q < kCount; ++q) {
        const F32 x = broadcast(head.q[(first + q) * head.q_stride + d]);
        sums[q][0] = fma(x, low, sums[q][0]);
        sums[q][1] = fma(x, high, sums[q][1]);
      }
    }
#pragma GCC unroll 8
    for (int q = 0; q < kCount; ++q) {
      store(head.scores + q * head.padded + t, sums[q][0]);
      store(head.scores + q * head.padded + t + kLanes, sums[q][1]);
    }
  }
}

/// scores become e^(scale (score - max)); gives 1 / their sum.
float soften(float* scores, int64_t length, float scale) {
  const F32 least = broadcast(-__builtin_inff());
  const auto at = [&](int64_t t) {
    const F32 x = load(scores + t);
    return length - t < kLanes ? keep_lanes(x, 0, static_cast<int>(length - t), least) : x;
  };
  F32 largest = least;
  for (int64_t t = 0; t < length; t += kLanes) largest = max(at(t), largest);
  const F32 top = broadcast(reduce_max(largest));
  F32 sum = zero();
  for (int64_t t = 0; t < length; t += kLanes) {
    const F32 p = exp((at(t) - top) * broadcast(scale));
    store(scores + t, p);
    sum = sum + p;
  }
  return 1.0F / reduce_add(sum);
}

/// out[q] = factors[q] * sum over t of scores[q][t] * values[t], kVectors vectors from element d on.
template <int kCount, int kVectors>
void weigh(const Head& head, int d, const float* factors, float* out, int64_t out_stride) {
  F32 sums[kCount][kVectors];
#pragma GCC unroll 8
  for (int q = 0; q < kCount; ++q) {
#pragma GCC unroll 2
    for (int i = 0; i < kVectors; ++i) sums[q][i] = zero();
  }
  for (int64_t t = 0; t < head.length; ++t) {
    F32 values[kVectors];
#pragma GCC unroll 2
    for (int i = 0; i < kVectors; ++i) values[i] = load(head.values + t * head.value_stride + d + i * kLanes);
#pragma GCC unroll 8
    for (int q = 0; q < kCount; ++q) {
      const F32 p = broadcast(head.scores[q * head.padded + t]);
#pragma GCC unroll 2
      for (int i = 0; i < kVectors; ++i) sums[q][i] = fma(p, values[i], sums[q][i]);
    }
  }
#pragma GCC unroll 8
  for (int q = 0; q < kCount; ++q) {
#pragma GCC unroll 2
    for (int i = 0; i < kVectors; ++i) {
      const int at = d + i * kLanes;
      const F32 x = sums[q][i] * broadcast(factors[q]);
      float* to = out + q * out_stride + at;
      if (head.dim - at >= kLanes) {
        store(to, x);
      } else {
        store_part(to, x, head.dim - at);
      }
    }
  }
}

/// Queries first .. first + kCount of a head; out: at the first one's.
template <int kCount>
void attend(const Head& head, int64_t first, float scale, float* out, int64_t out_stride) {
  score<kCount>(head, first);
  float factors[kCount];
  for (int q = 0; q < kCount; ++q) factors[q] = soften(head.scores + q * head.padded, head.length, scale);
  int d = 0;
  for (; d + kLanes < head.dim; d += 2 * kLanes) weigh<kCount, 2>(head, d, factors, out, out_stride);
  if (d < head.dim) weigh<kCount, 1>(head, d, factors, out, out_stride);
}

template <int kCount>
void attend_some(int64_t count, const Head& head, int64_t first, float scale, float* out, int64_t out_stride) {
  if constexpr (kCount > 1) {
    if (count < kCount) return attend_some<kCount - 1>(count, head, first, scale, out, out_stride);
  }
  attend<kCount>(head, first, scale, out, out_stride);
}

/// What a head of a sequence costs, roughly: packing, and every query with every key.
int64_t cost_of(int64_t length) { return length * (length + 16); }

}  // namespace

/// A rank's share is a run of the sequences' heads, by what they cost.
void full_attention(const FullAttentionArgs& args, int rank, int size) {
  const int64_t width = static_cast<int64_t>(args.heads) * args.head_dim;
  int64_t total = 0;
  for (int s = 0; s < args.num_seqs; ++s) total += args.heads * cost_of(args.starts[s + 1] - args.starts[s]);
  const int64_t begin = total * rank / size;
  const int64_t end = total * (rank + 1) / size;

  Head head;
  head.padded = attention_padded(args.max_length);
  head.dim = args.head_dim;
  head.value_stride = attention_padded(args.head_dim);
  head.keys = reinterpret_cast<float*>(args.workspace) + rank * attention_floats(args.max_length, args.head_dim);
  head.values = head.keys + head.dim * head.padded;
  head.scores = head.values + args.max_length * head.value_stride;
  head.q_stride = args.qkv.stride;
  float* const rows = attention_rows(args, size);
  int64_t before = 0;  // what the heads so far cost
  for (int s = 0; s < args.num_seqs && before < end; ++s) {
    const int64_t first = args.starts[s];
    head.length = args.starts[s + 1] - first;
    const int64_t cost = cost_of(head.length);
    for (int h = 0; h < args.heads; ++h, before += cost) {
      if (before < begin || before >= end) continue;
      head.q = static_cast<const float*>(args.qkv.data) + first * head.q_stride + h * args.head_dim;
      pack(head.q + width, head.q + 2 * width, head.q_stride, head);
      float* out = rows + first * width + h * args.head_dim;
      for (int64_t q = 0; q < head.length; q += kQueries) {
        attend_some<kQueries>(head.length - q, head, q, args.scale, out + q * width, width);
      }
    }
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
