#include "kernels/logits.h"

#include "kernels/cpu/isa/simd.h"

namespace caravel::kernels::CARAVEL_ISA {

void scale_logits(const ScaleLogitsArgs& args, int rank, int size);
void soft_cap(const SoftCapArgs& args, int rank, int size);
void log_sum_exp(const LogSumExpArgs& args, int rank, int size);
void top_k(const TopKArgs& args, int rank, int size);
void token_rank(const RankArgs& args, int rank, int size);

namespace {

constexpr float kInfinity = __builtin_inff();

const float* row_of(const Tensor& logits, int64_t r) {
  return static_cast<const float*>(logits.data) + r * logits.stride;
}

/// Every logit x of the rank's share becomes function(x).
template <typename Function>
void change_share(const Tensor& all, int rank, int size, Function function) {
  auto* const logits = static_cast<float*>(all.data);
  const Share mine = share(all.rows * all.width, rank, size, 16);
  int64_t i = mine.begin;
  for (; i + kLanes <= mine.end; i += kLanes) store(logits + i, function(load(logits + i)));
  if (const int left = static_cast<int>(mine.end - i); left > 0) {
    store_part(logits + i, function(load_part(logits + i, left)), left);
  }
}

float row_max(const float* x, int64_t width) {
  F32 best[4] = {broadcast(-kInfinity), broadcast(-kInfinity), broadcast(-kInfinity), broadcast(-kInfinity)};
  int64_t i = 0;
  for (; i + 4 * kLanes <= width; i += 4 * kLanes) {
    for (int j = 0; j < 4; ++j) best[j] = max(load(x + i + j * kLanes), best[j]);
  }
  float result = reduce_max(max(max(best[0], best[1]), max(best[2], best[3])));
  for (; i < width; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

int64_t first_equal(const float* x, int64_t width, float value) {
  const F32 wanted = broadcast(value);
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    const uint32_t hits = equal_bits(load(x + i), wanted);
    if (hits != 0) return i + __builtin_ctz(hits);
  }
  for (; i < width; ++i) {
    if (x[i] == value) return i;
  }
  return 0;
}

/// sum(exp(x - max)) in four vectors of lanes that take turns.
float row_sum_exp(const float* x, int64_t width, float max) {
  const F32 shift = broadcast(max);
  F32 sum[4] = {zero(), zero(), zero(), zero()};
  int64_t i = 0;
  for (; i + 4 * kLanes <= width; i += 4 * kLanes) {
    for (int j = 0; j < 4; ++j) sum[j] = sum[j] + exp(load(x + i + j * kLanes) - shift);
  }
  for (; i < width; i += kLanes) {
    const int left = static_cast<int>(width - i < kLanes ? width - i : kLanes);
    sum[0] = sum[0] + keep_lanes(exp(load_part(x + i, left) - shift), 0, left, zero());
  }
  return reduce_add((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/// The k best so far as a binary heap with the worst at the root: the smallest value, and among equals the highest
/// index. It lives in the op's output.
struct Heap {
  float* values;
  int32_t* indices;

  bool worse(int64_t a, int64_t b) const {
    return values[a] < values[b] || (values[a] == values[b] && indices[a] > indices[b]);
  }
  void exchange(int64_t a, int64_t b) const {
    const float value = values[a];
    const int32_t index = indices[a];
    values[a] = values[b];
    indices[a] = indices[b];
    values[b] = value;
    indices[b] = index;
  }
  void sift_down(int64_t node, int64_t count) const {
    for (int64_t child = 2 * node + 1; child < count; child = 2 * node + 1) {
      if (child + 1 < count && worse(child + 1, child)) ++child;
      if (!worse(child, node)) return;
      exchange(child, node);
      node = child;
    }
  }
};

void row_top_k(const float* x, int64_t width, int64_t k, const Heap& heap) {
  for (int64_t i = 0; i < k; ++i) {
    heap.values[i] = x[i];
    heap.indices[i] = static_cast<int32_t>(i);
  }
  for (int64_t node = k / 2 - 1; node >= 0; --node) heap.sift_down(node, k);
  // Indices ascend, so an equal value never displaces one that is there.
  const auto offer = [&](int64_t i) {
    if (!(x[i] > heap.values[0])) return;
    heap.values[0] = x[i];
    heap.indices[0] = static_cast<int32_t>(i);
    heap.sift_down(0, k);
  };
  int64_t i = k;
  for (; i + kLanes <= width; i += kLanes) {
    uint32_t hits = greater_bits(load(x + i), broadcast(heap.values[0]));
    for (; hits != 0; hits &= hits - 1) offer(i + __builtin_ctz(hits));
  }
  for (; i < width; ++i) offer(i);
  for (int64_t last = k - 1; last > 0; --last) {
    heap.exchange(0, last);
    heap.sift_down(0, last);
  }
}

}  // namespace

void scale_logits(const ScaleLogitsArgs& args, int rank, int size) {
  const F32 scale = broadcast(args.scale);
  change_share(args.logits, rank, size, [&](F32 x) { return scale * x; });
}

void soft_cap(const SoftCapArgs& args, int rank, int size) {
  const F32 cap = broadcast(args.cap);
  const F32 inverse = broadcast(1.0F / args.cap);
  change_share(args.logits, rank, size, [&](F32 x) { return cap * tanh(x * inverse); });
}

void log_sum_exp(const LogSumExpArgs& args, int rank, int size) {
  const Share rows = share(args.logits.rows, rank, size);
  for (int64_t r = rows.begin; r < rows.end; ++r) {
    const float* x = row_of(args.logits, r);
    const float max = row_max(x, args.logits.width);
    if (args.argmax != nullptr) args.argmax[r] = static_cast<int32_t>(first_equal(x, args.logits.width, max));
    // An infinite maximum (every logit masked) is the answer itself; x - max would be NaN.
    const bool infinite = max == kInfinity || max == -kInfinity;
    args.log_sum_exp[r] = infinite ? max : max + __builtin_logf(row_sum_exp(x, args.logits.width, max));
  }
}

void top_k(const TopKArgs& args, int rank, int size) {
  const Share rows = share(args.logits.rows, rank, size);
  for (int64_t r = rows.begin; r < rows.end; ++r) {
    row_top_k(row_of(args.logits, r), args.logits.width, args.k, {args.values + r * args.k, args.indices + r * args.k});
  }
}

void token_rank(const RankArgs& args, int rank, int size) {
  const Share rows = share(args.logits.rows, rank, size);
  for (int64_t r = rows.begin; r < rows.end; ++r) {
    const float* x = row_of(args.logits, r);
    const float mine = x[args.tokens[r]];
    const F32 threshold = broadcast(mine);
    int32_t larger = 0;
    int64_t i = 0;
    for (; i + kLanes <= args.logits.width; i += kLanes)
      larger += __builtin_popcount(greater_bits(load(x + i), threshold));
    for (; i < args.logits.width; ++i) larger += x[i] > mine ? 1 : 0;
    args.ranks[r] = larger + 1;
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
