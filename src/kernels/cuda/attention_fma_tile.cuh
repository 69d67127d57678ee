#pragma once

#include <cstdint>

#include "kernels/cuda/attention_params.cuh"

namespace caravel::kernels::cuda {

/// A block's rows in f32, for keys and values of f32: exact, not fast. An element is the same sums in the same order
/// whatever rows are beside it. kShared: values are the first elements of keys.
template <int kTileRows, bool kShared>
class AttentionFmaTile {
 public:
  static constexpr int kRows = kTileRows;
  static constexpr bool kTakesTotals = false;
  static constexpr int kThreads = 128;
  static constexpr int kBlocks = 1;
  static constexpr int kStateBytes = 16 * 1024;

  __host__ __device__ static size_t shared_bytes(int head_dim) {
    const int row = row_floats(head_dim);
    return static_cast<size_t>(kMatrices * kTileKeys * row + 3 * kRows * row + kRows * kTileKeys + 6 * kRows) *
           sizeof(float);
  }

  __device__ AttentionFmaTile(const AttentionParams& params, std::byte* shared, bool waited)
      : params_(params),
        waited_(waited),
        head_dim_(params.cache.head_dim),
        value_dim_(params.value_dim),
        row_(row_floats(params.cache.head_dim)),
        keys_(reinterpret_cast<float*>(shared)),
        values_(keys_ + (kMatrices - 1) * kTileKeys * row_),
        queries_(values_ + kTileKeys * row_),
        parts_(queries_ + kRows * row_),
        totals_(parts_ + kRows * row_),
        weights_(totals_ + kRows * row_),
        max_(weights_ + kRows * kTileKeys),
        sum_(max_ + kRows),
        total_max_(sum_ + kRows),
        total_sum_(total_max_ + kRows),
        keep_(total_sum_ + kRows),
        add_(keep_ + kRows) {}

  /// As AttentionMmaTile's.
  __device__ void begin(const AttentionRows& rows, const Visible& seen, int first, int step, int /*count*/) {
    rows_ = rows;
    seen_ = seen;
    split_ = first;
    step_ = step;
    if (!waited_) wait_for_kernel_before();
    waited_ = true;
    __syncthreads();
    for_elements(head_dim_, [&](int r, int d) {
      queries_[r * row_ + d] = to_float(rows_.queries(params_, r)[d]);
      totals_[r * row_ + d] = 0.0F;
    });
    if (threadIdx.x < kRows) {
      total_max_[threadIdx.x] = -__builtin_inff();
      total_sum_[threadIdx.x] = 0.0F;
    }
  }

  __device__ void attend() {
    begin_split();
    const int begin = max(split_ * kSplitKeys, seen_.begin / kTileKeys * kTileKeys);
    const int end = min((split_ + 1) * kSplitKeys, seen_.end);
    for (int tile = begin; tile < end; tile += kTileKeys) {
      __syncthreads();
      load(tile);
      __syncthreads();
      attend_tile(tile);
    }
    split_ += step_;
    __syncthreads();
  }

  __device__ void join_totals() {
    if (static_cast<int>(threadIdx.x) < rows_.count) {
      const MergeFactors factors = merge_max(total_max_[threadIdx.x], max_[threadIdx.x]);
      total_sum_[threadIdx.x] = merge(total_sum_[threadIdx.x], sum_[threadIdx.x], factors);
      keep_[threadIdx.x] = factors.keep;
      add_[threadIdx.x] = factors.add;
    }
    __syncthreads();
    for_elements(value_dim_, [&](int r, int d) {
      float& total = totals_[r * row_ + d];
      total = merge(total, parts_[r * row_ + d], {keep_[r], add_[r]});
    });
    __syncthreads();
  }

  template <typename Route>
  __device__ void send_state(const Route& route) const {
    for_elements(value_dim_, [&](int r, int d) {
      const float* const part = parts_ + r * row_ + d;
      if (d % 2 == 0) route.send(r, d, {part[0], part[1]});
    });
    for (int i = static_cast<int>(threadIdx.x); i < rows_.count * route.blocks; i += kThreads) {
      const int r = i / route.blocks;
      route.send_row(r, i % route.blocks, max_[r], sum_[r]);
    }
  }

  __device__ void store_totals() const {
    for_elements(value_dim_, [&](int r, int d) {
      if (d % 2 != 0) return;
      const float* const total = totals_ + r * row_ + d;
      store_output(params_, rows_.output(params_, r) + d, {total[0], total[1]},
                   inverse_of_row(params_, rows_, r, total_sum_[r], total_max_[r]));
    });
  }

 private:
  static constexpr int kTileKeys = 64;
  static constexpr int kMatrices = kShared ? 1 : 2;  // of a tile's keys and values

  __host__ __device__ static int row_floats(int head_dim) { return head_dim + 1; }

  /// function(r, d) for each of the first `width` elements of the rows, shared out to the threads.
  template <typename Function>
  __device__ void for_elements(int width, Function function) const {
    for (int i = static_cast<int>(threadIdx.x); i < rows_.count * width; i += kThreads) {
      function(i / width, i % width);
    }
  }

  __device__ void begin_split() {
    for_elements(value_dim_, [&](int r, int d) { parts_[r * row_ + d] = 0.0F; });
    if (threadIdx.x < kRows) {
      max_[threadIdx.x] = -__builtin_inff();
      sum_[threadIdx.x] = 0.0F;
    }
  }

  __device__ void load(int tile) {
    for (int i = static_cast<int>(threadIdx.x); i < kTileKeys * head_dim_; i += kThreads) {
      const int key = i / head_dim_;
      const int d = i % head_dim_;
      const int position = tile + key;
      float k = 0.0F;
      float v = 0.0F;
      if (position >= seen_.begin && position < seen_.end) {
        const BlockPlace place = place_of(params_, position);
        const std::byte* const row = head_part(params_, rows_.sequence.table[place.block], rows_.kv_head) +
                                     place.offset * params_.layout.row_bytes;
        k = reinterpret_cast<const float*>(row)[d];
        if constexpr (!kShared) v = reinterpret_cast<const float*>(row + params_.layout.values)[d];
      }
      keys_[key * row_ + d] = k;
      if constexpr (!kShared) values_[key * row_ + d] = v;
    }
  }

  __device__ void attend_tile(int tile) {
    for (int i = static_cast<int>(threadIdx.x); i < rows_.count * kTileKeys; i += kThreads) {
      const int r = i / kTileKeys;
      const int key = i % kTileKeys;
      float product = 0.0F;
      for (int d = 0; d < head_dim_; ++d) product = fmaf(queries_[r * row_ + d], keys_[key * row_ + d], product);
      const Visible visible = rows_.visible(params_, r);
      const bool sees = tile + key >= visible.begin && tile + key < visible.end;
      weights_[i] = !sees ? -__builtin_inff() : params_.scores.soft_cap > 0.0F ? params_.scores.cap(product) : product;
    }
    __syncthreads();
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    for (int r = static_cast<int>(threadIdx.x) / kWarp; r < rows_.count; r += kThreads / kWarp) {
      float* const weights = weights_ + r * kTileKeys;
      const float before = max_[r];
      const float factor = params_.scores.factor;
      const float largest = reduce_warp(fmaxf(weights[lane], weights[lane + kWarp]), Largest());
      const float max = fmaxf(before, split_max(largest, factor));
      const float base = weight_base(max);
      const float low = weight_of(weights[lane], factor, base);
      const float high = weight_of(weights[lane + kWarp], factor, base);
      const float sum = reduce_warp(__fadd_rn(low, high), Sum());
      weights[lane] = low;
      weights[lane + kWarp] = high;
      if (lane == 0) {
        keep_[r] = exp2_of(__fsub_rn(before, base));
        max_[r] = max;
        sum_[r] = fmaf(sum_[r], keep_[r], sum);
      }
    }
    __syncthreads();
    for_elements(value_dim_, [&](int r, int d) {
      float value = __fmul_rn(parts_[r * row_ + d], keep_[r]);
      for (int key = 0; key < kTileKeys; ++key) {
        value = fmaf(weights_[r * kTileKeys + key], values_[key * row_ + d], value);
      }
      parts_[r * row_ + d] = value;
    });
  }

  const AttentionParams& params_;
  bool waited_;
  AttentionRows rows_;
  Visible seen_;
  int split_;  // the next one
  int step_;
  const int head_dim_;
  const int value_dim_;  // elements of a value
  const int row_;        // floats from one row to the next
  // Shared memory.
  float* const keys_;     // [kTileKeys, row]
  float* const values_;   // [kTileKeys, row]; kShared: the same
  float* const queries_;  // [kRows, row]
  float* const parts_;    // [kRows, row]: the split's weighted values
  float* const totals_;   // [kRows, row]
  float* const weights_;  // [kRows, kTileKeys]: scores, then weights
  // [kRows] each.
  float* const max_;
  float* const sum_;
  float* const total_max_;
  float* const total_sum_;
  float* const keep_;
  float* const add_;
};

}  // namespace caravel::kernels::cuda
