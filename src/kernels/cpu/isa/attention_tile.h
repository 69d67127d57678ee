#pragma once

// Included by the per-ISA sources alone. The pieces of attention on one tile of kTileKeys keys and a few query rows (a
// row is one head of one token): scores, online softmax, weighted sum of values, and the merge of partial states. A
// row's result never depends on which rows are computed beside it: each sum runs over keys or elements in ascending
// order, in a lane of its own.

#include "kernels/cpu/isa/simd.h"

namespace caravel::kernels::CARAVEL_ISA {

constexpr int kKeyGroup = 16;  // positions whose keys lie side by side
constexpr int kTileKeys = 2 * kKeyGroup;
constexpr int kTileVectors = kTileKeys / kLanes;
/// f32 is what tiles of many rows are widened to, and lies in the cache.
template <typename T>
constexpr bool kPrefetched = sizeof(T) < sizeof(float);
constexpr int kBlockRows = 6;  // rows that one pass over keys or values serves
#if defined(__AVX512VNNI__)
constexpr int kValueVectors = 4;  // vectors of a value row that one pass takes: what the registers hold
constexpr int kRowKeys = 4;       // keys in rows that one pass takes, likewise
#else
constexpr int kValueVectors = 2;
constexpr int kRowKeys = 2;
#endif

/// scores[m, key] = q[m] . k[key] for the tile's keys; groups[g] is [head_dim][kKeyGroup]. next: what will be read as
/// groups after these, asked for beside the arithmetic: a burst of requests would fill the processor's queue of misses
/// and hold the arithmetic up until they are served. Into the L2 cache: the L1's queue is the short one.
template <typename T, int kRows>
void score_rows(const float* q, int64_t q_stride, const T* const (&groups)[2], const T* const (&next)[2], int head_dim,
                float* scores) {
  for (int v = 0; v < kTileVectors; v += 2) {
    const T* first = groups[v * kLanes / kKeyGroup] + v * kLanes % kKeyGroup;
    const T* second = groups[(v + 1) * kLanes / kKeyGroup] + (v + 1) * kLanes % kKeyGroup;
    F32 sum[kRows][2];
    for (int m = 0; m < kRows; ++m) sum[m][0] = sum[m][1] = zero();
    for (int d = 0; d < head_dim; ++d) {
      if constexpr (kPrefetched<T>) {
        __builtin_prefetch(next[0] + d * kKeyGroup, 0, 2);
        __builtin_prefetch(next[1] + d * kKeyGroup, 0, 2);
      }
      const F32 k0 = load(first + static_cast<int64_t>(d) * kKeyGroup);
      const F32 k1 = load(second + static_cast<int64_t>(d) * kKeyGroup);
      for (int m = 0; m < kRows; ++m) {
        const F32 x = broadcast(q[m * q_stride + d]);
        sum[m][0] = fma(x, k0, sum[m][0]);
        sum[m][1] = fma(x, k1, sum[m][1]);
      }
    }
    for (int m = 0; m < kRows; ++m) {
      store(scores + m * kTileKeys + v * kLanes, sum[m][0]);
      store(scores + m * kTileKeys + (v + 1) * kLanes, sum[m][1]);
    }
  }
}

/// The same of keys that lie by rows, [kTileKeys][key_stride] in f32: a key's sums run along the lanes, each in its
/// own, and meet at the end. width: elements of a row in whole vectors, zeros behind those of q and of the keys.
template <int kRows>
void score_key_rows(const float* q, int64_t q_stride, const float* keys, int64_t key_stride, int width, float* scores) {
  for (int key = 0; key < kTileKeys; key += kRowKeys) {
    const float* const rows = keys + key * key_stride;
    F32 sum[kRows][kRowKeys];
    for (int m = 0; m < kRows; ++m) {
      for (int j = 0; j < kRowKeys; ++j) sum[m][j] = zero();
    }
    for (int d = 0; d < width; d += kLanes) {
      F32 k[kRowKeys];
      for (int j = 0; j < kRowKeys; ++j) k[j] = load(rows + j * key_stride + d);
      for (int m = 0; m < kRows; ++m) {
        const F32 x = load(q + m * q_stride + d);
        for (int j = 0; j < kRowKeys; ++j) sum[m][j] = fma(x, k[j], sum[m][j]);
      }
    }
    for (int m = 0; m < kRows; ++m) {
      for (int j = 0; j < kRowKeys; ++j) scores[m * kTileKeys + key + j] = reduce_add(sum[m][j]);
    }
  }
}

template <typename T, int kRows, int kVectors>
void add_value_columns(const float* weights, const T* values, int64_t value_stride, int keys, const T* next, float* out,
                       int64_t out_stride) {
  F32 sum[kRows][kVectors];
  for (int m = 0; m < kRows; ++m) {
    for (int j = 0; j < kVectors; ++j) sum[m][j] = load(out + m * out_stride + j * kLanes);
  }
  for (int key = 0; key < keys; ++key) {
    if constexpr (kPrefetched<T>) {
      const char* const line = reinterpret_cast<const char*>(next + key * value_stride);
      for (int i = 0; i < kVectors * kLanes * static_cast<int>(sizeof(T)); i += 64) __builtin_prefetch(line + i, 0, 2);
    }
    F32 v[kVectors];
    for (int j = 0; j < kVectors; ++j) v[j] = load(values + key * value_stride + j * kLanes);
    for (int m = 0; m < kRows; ++m) {
      const F32 w = broadcast(weights[m * kTileKeys + key]);
      for (int j = 0; j < kVectors; ++j) sum[m][j] = fma(w, v[j], sum[m][j]);
    }
  }
  for (int m = 0; m < kRows; ++m) {
    for (int j = 0; j < kVectors; ++j) store(out + m * out_stride + j * kLanes, sum[m][j]);
  }
}

/// out[m] += sum over `keys` keys of weights[m, key] * values[key]. Whole vectors of `width` elements, rounded up.
/// next: what will be read as values after these.
template <typename T, int kRows>
void add_values(const float* weights, const T* values, int64_t value_stride, int keys, int width, const T* next,
                float* out, int64_t out_stride) {
  int d = 0;
  for (; d + kValueVectors * kLanes <= width; d += kValueVectors * kLanes) {
    add_value_columns<T, kRows, kValueVectors>(weights, values + d, value_stride, keys, next + d, out + d, out_stride);
  }
  for (; d < width; d += kLanes) {
    add_value_columns<T, kRows, 1>(weights, values + d, value_stride, keys, next + d, out + d, out_stride);
  }
}

/// Calls function.template operator()<rows>(first) over `rows` rows in blocks that the kernels are made for.
template <typename Function>
void for_row_blocks(int begin, int end, const Function& function) {
  int row = begin;
  for (; row + kBlockRows <= end; row += kBlockRows) function.template operator()<kBlockRows>(row);
  switch (end - row) {
    case 5:
      function.template operator()<3>(row);
      function.template operator()<2>(row + 3);
      break;
    case 4:
      function.template operator()<4>(row);
      break;
    case 3:
      function.template operator()<3>(row);
      break;
    case 2:
      function.template operator()<2>(row);
      break;
    case 1:
      function.template operator()<1>(row);
      break;
    default:
      break;
  }
}

/// e^x of one number, by the lanes' operations.
static inline float exp_one(float x) { return exp(broadcast(x))[0]; }

/// One row's partial softmax over some keys: the largest score, sum(exp(score - max)), and `values` =
/// sum(exp(score - max) * v), [head_dim]. Over no keys: max = -inf and zeros.
struct SoftmaxState {
  float* values;
  float max;
  float sum;
};

/// Joins `from`, whose keys come after those of `into`. The one way in which partial states meet.
static inline void merge_state(SoftmaxState& into, const SoftmaxState& from, int head_dim) {
  const float max = into.max > from.max ? into.max : from.max;
  if (max == -__builtin_inff()) return;  // both empty
  const float keep = exp_one(into.max - max);
  const float add = exp_one(from.max - max);
  into.max = max;
  into.sum = into.sum * keep + from.sum * add;
  const F32 keep_lanes_by = broadcast(keep);
  const F32 add_lanes_by = broadcast(add);
  for (int d = 0; d < head_dim; d += kLanes) {
    const int count = head_dim - d < kLanes ? head_dim - d : kLanes;
    const F32 old = load_part(into.values + d, count) * keep_lanes_by;
    store_part(into.values + d, fma(load_part(from.values + d, count), add_lanes_by, old), count);
  }
}

static inline void multiply_tile(float* scores, const float* factors) {
  for (int v = 0; v < kTileKeys; v += kLanes) store(scores + v, load(scores + v) * load(factors + v));
}

// A row's online softmax (Milakov and Gimelshein 2018) on a tile, in two halves: between them stands, for many rows at
// once, the factor exp(old maximum - new maximum), which one row alone would wait for.

/// Soft-caps the scores and makes those outside begin .. end-1 -inf; gives the larger of `max` and their maximum.
static inline float bound_scores(float* scores, int begin, int end, float soft_cap, float max_so_far) {
  F32 s[kTileVectors];
  for (int v = 0; v < kTileVectors; ++v) s[v] = load(scores + v * kLanes);
  if (soft_cap > 0.0F) {
    for (F32& x : s) x = broadcast(soft_cap) * tanh(x * broadcast(1.0F / soft_cap));
  }
  if (begin > 0 || end < kTileKeys) {
    const F32 none = broadcast(-__builtin_inff());
    for (int v = 0; v < kTileVectors; ++v) s[v] = keep_lanes(s[v], begin - v * kLanes, end - v * kLanes, none);
  }
  F32 largest = s[0];
  for (int v = 1; v < kTileVectors; ++v) largest = max(s[v], largest);
  for (int v = 0; v < kTileVectors; ++v) store(scores + v * kLanes, s[v]);
  // Most tiles raise no maximum: a comparison by lanes says so for less than the maximum across them costs.
  return greater_bits(largest, broadcast(max_so_far)) != 0 ? reduce_max(largest) : max_so_far;
}

/// Turns the scores into weights exp(score - max) and adds them to sum[kLanes] (by lane: key modulo kLanes).
static inline void weigh(float* scores, float max, float* sum) {
  const F32 shift = broadcast(max == -__builtin_inff() ? 0.0F : max);
  F32 total = load(sum);
  for (int v = 0; v < kTileVectors; ++v) {
    const F32 weight = exp(load(scores + v * kLanes) - shift);
    total = total + weight;
    store(scores + v * kLanes, weight);
  }
  store(sum, total);
}

}  // namespace caravel::kernels::CARAVEL_ISA
