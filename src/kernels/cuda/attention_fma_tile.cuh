#pragma once

#include <cstdint>

#include "kernels/cuda/attention_params.cuh"

namespace caravel::kernels::cuda {

/// A block's 16 rows in f32, for keys and values of f32 or int8: exact, not fast. An element is the same sums in the
/// same order whatever rows are beside it.
class AttentionFmaTile {
 public:
  static constexpr int kRows = 16;

  static size_t shared_bytes(int head_dim) {
    const int row = row_floats(head_dim);
    return static_cast<size_t>(2 * kTileKeys * row + 3 * kRows * row + kRows * kTileKeys + 6 * kRows) * sizeof(float);
  }

  __device__ AttentionFmaTile(const AttentionParams& params, std::byte* shared)
      : params_(params),
        head_dim_(params.cache.head_dim),
        row_(row_floats(params.cache.head_dim)),
        keys_(reinterpret_cast<float*>(shared)),
        values_(keys_ + kTileKeys * row_),
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

  __device__ void begin(const AttentionRows& rows) {
    rows_ = rows;
    seen_ = rows.visible(params_);
    __syncthreads();
    for_elements([&](int r, int d) {
      const int64_t token = rows_.sequence.first_token + rows_.query(params_, r);
      queries_[r * row_ + d] = to_float(params_.q[token * params_.q_stride + rows_.head(params_, r) * head_dim_ + d]);
      totals_[r * row_ + d] = 0.0F;
    });
    if (threadIdx.x < kRows) {
      total_max_[threadIdx.x] = -__builtin_inff();
      total_sum_[threadIdx.x] = 0.0F;
    }
    begin_split();
  }

  /// As AttentionMmaTile::attend().
  __device__ void attend(Visible keys, bool apart) {
    for (int tile = keys.begin / kTileKeys * kTileKeys; tile < keys.end; tile += kTileKeys) {
      __syncthreads();
      load(tile);
      __syncthreads();
      attend_tile(tile);
      if (!apart && (tile + kTileKeys >= keys.end || (tile + kTileKeys) % kSplitKeys == 0)) join_totals();
    }
    __syncthreads();
  }

  template <typename StateOfRow>
  __device__ void store_states(StateOfRow state_of_row) {
    for_elements([&](int r, int d) { state_of_row(r)[d] = parts_[r * row_ + d]; });
    if (static_cast<int>(threadIdx.x) < rows_.count) {
      float* const state = state_of_row(static_cast<int>(threadIdx.x));
      state[head_dim_] = max_[threadIdx.x];
      state[head_dim_ + 1] = sum_[threadIdx.x];
    }
  }

  __device__ void store_totals() {
    for_elements([&](int r, int d) {
      if (d % 2 != 0) return;
      const int64_t token = rows_.sequence.first_token + rows_.query(params_, r);
      const float* const total = totals_ + r * row_ + d;
      store_output(params_, (token * params_.heads + rows_.head(params_, r)) * head_dim_ + d,
                   finish(total[0], total_sum_[r]), finish(total[1], total_sum_[r]));
    });
  }

 private:
  __host__ __device__ static int row_floats(int head_dim) { return head_dim + 1; }

  /// function(r, d) for each element of the rows, shared out to the threads.
  template <typename Function>
  __device__ void for_elements(Function function) {
    for (int i = static_cast<int>(threadIdx.x); i < rows_.count * head_dim_; i += kAttentionThreads) {
      function(i / head_dim_, i % head_dim_);
    }
  }

  __device__ void begin_split() {
    for_elements([&](int r, int d) { parts_[r * row_ + d] = 0.0F; });
    if (threadIdx.x < kRows) {
      max_[threadIdx.x] = -__builtin_inff();
      sum_[threadIdx.x] = 0.0F;
    }
  }

  __device__ void load(int tile) {
    const bool int8 = params_.cache.dtype == KvDtype::kInt8;
    for (int i = static_cast<int>(threadIdx.x); i < kTileKeys * head_dim_; i += kAttentionThreads) {
      const int key = i / head_dim_;
      const int d = i % head_dim_;
      const int position = tile + key;
      float k = 0.0F;
      float v = 0.0F;
      if (position >= seen_.begin && position < seen_.end) {
        const std::byte* const part = rows_.head_part(params_, position);
        const int offset = position % params_.cache.block_size;
        const std::byte* const row = part + offset * params_.layout.row_bytes;
        const std::byte* const value_row = row + params_.layout.values;
        if (int8) {
          const auto* const scales = reinterpret_cast<const float*>(part + params_.layout.scales);
          k = static_cast<float>(reinterpret_cast<const int8_t*>(row)[d]) * scales[offset];
          v = static_cast<float>(reinterpret_cast<const int8_t*>(value_row)[d]) *
              scales[params_.cache.block_size + offset];
        } else {
          k = reinterpret_cast<const float*>(row)[d];
          v = reinterpret_cast<const float*>(value_row)[d];
        }
      }
      keys_[key * row_ + d] = k;
      values_[key * row_ + d] = v;
    }
  }

  __device__ void attend_tile(int tile) {
    for (int i = static_cast<int>(threadIdx.x); i < rows_.count * kTileKeys; i += kAttentionThreads) {
      const int r = i / kTileKeys;
      const int key = i % kTileKeys;
      float product = 0.0F;
      for (int d = 0; d < head_dim_; ++d) product = fmaf(queries_[r * row_ + d], keys_[key * row_ + d], product);
      const Visible visible = rows_.visible(params_, r);
      const bool sees = tile + key >= visible.begin && tile + key < visible.end;
      weights_[i] = sees ? score_of(params_, product) : -__builtin_inff();
    }
    __syncthreads();
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    for (int r = static_cast<int>(threadIdx.x) / kWarp; r < rows_.count; r += kAttentionThreads / kWarp) {
      float* const weights = weights_ + r * kTileKeys;
      const float before = max_[r];
      const float most = reduce_warp(fmaxf(weights[lane], weights[lane + kWarp]), Largest());
      const float max = fmaxf(before, most);
      const float base = max == -__builtin_inff() ? 0.0F : max;
      const float low = exp2_of(__fsub_rn(weights[lane], base));
      const float high = exp2_of(__fsub_rn(weights[lane + kWarp], base));
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
    for_elements([&](int r, int d) {
      float value = __fmul_rn(parts_[r * row_ + d], keep_[r]);
      for (int key = 0; key < kTileKeys; ++key) {
        value = fmaf(weights_[r * kTileKeys + key], values_[key * row_ + d], value);
      }
      parts_[r * row_ + d] = value;
    });
  }

  __device__ void join_totals() {
    __syncthreads();
    if (static_cast<int>(threadIdx.x) < rows_.count) {
      const MergeFactors factors = merge_max(total_max_[threadIdx.x], max_[threadIdx.x]);
      total_sum_[threadIdx.x] = merge(total_sum_[threadIdx.x], sum_[threadIdx.x], factors);
      keep_[threadIdx.x] = factors.keep;
      add_[threadIdx.x] = factors.add;
    }
    __syncthreads();
    for_elements([&](int r, int d) {
      float& total = totals_[r * row_ + d];
      total = merge(total, parts_[r * row_ + d], {keep_[r], add_[r]});
    });
    __syncthreads();
    begin_split();
  }

  const AttentionParams& params_;
  AttentionRows rows_;
  Visible seen_;
  const int head_dim_;
  const int row_;  // floats from one row to the next
  // Shared memory.
  float* const keys_;     // [kTileKeys, row]
  float* const values_;   // [kTileKeys, row]
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
