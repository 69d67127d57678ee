#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/cuda/attention_params.cuh"
#include "kernels/cuda/warp_mma.cuh"

namespace caravel::kernels::cuda {

/// A block's rows on tensor cores, keys and values of T (Half or BFloat16), head_dim up to kDim.
///
/// kTogether: all four warps work on the same 16 rows. Each has the scores of a quarter of a tile's keys, and then the
/// weighted values of a quarter of the elements, over all keys; weights go through shared memory. Otherwise each warp
/// has 16 rows of its own, which takes more registers than there are where kDim is 256. Either way an element is the
/// same sums in the same order.
template <typename T, int kDim, bool kTogether>
class AttentionMmaTile {
 public:
  static constexpr int kWarps = kAttentionThreads / kWarp;
  static constexpr int kWarpRows = 16;
  static constexpr int kRows = kTogether ? kWarpRows : kWarps * kWarpRows;

  static constexpr size_t shared_bytes(int /*head_dim*/) {
    return kQueryBytes + kStages * kStageBytes + (kTogether ? kExchangeBytes : 0);
  }

  __device__ AttentionMmaTile(const AttentionParams& params, std::byte* shared)
      : params_(params),
        lane_(static_cast<int>(threadIdx.x) % kWarp),
        warp_(static_cast<int>(threadIdx.x) / kWarp),
        first_row_(kTogether ? 0 : warp_ * kWarpRows),
        queries_(reinterpret_cast<T*>(shared)),
        stages_(shared + kQueryBytes),
        row_max_(reinterpret_cast<float*>(stages_ + kStages * kStageBytes)),
        weights_(reinterpret_cast<uint4*>(row_max_ + kWarps * kWarpRows)) {
    // What copies leave out of a row: its end, where head_dim is less than kDim.
    if (params.layout.row_bytes < kDim * 2) {
      for (int i = static_cast<int>(threadIdx.x); i < static_cast<int>(kStages * kStageBytes / 16);
           i += kAttentionThreads) {
        reinterpret_cast<uint4*>(stages_)[i] = make_uint4(0, 0, 0, 0);
      }
    }
  }

  /// Begins anew with other rows.
  __device__ void begin(const AttentionRows& rows) {
    rows_ = rows;
    __syncthreads();
    load_queries();
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      position_[i] = position_of(first_row_ + lane_ / 4 + 8 * i);
      total_max_[i] = -__builtin_inff();
      total_sum_[i] = 0.0F;
    }
    first_position_ = position_of(first_row_);
    last_position_ = position_of(first_row_ + kWarpRows - 1);
    seen_ = rows_.visible(params_);
#pragma unroll
    for (float& total : totals_) total = 0.0F;
    begin_split();
  }

  /// The keys begin .. end (what the rows see of them). Each split joins the totals; apart: there is one alone, and it
  /// does not.
  __device__ void attend(Visible keys, bool apart) {
    const int first = keys.begin / kTileKeys;
    const int tiles = (keys.end + kTileKeys - 1) / kTileKeys - first;
    __syncthreads();  // the stages are free, and queries are there
#pragma unroll
    for (int i = 0; i < kStages; ++i) {
      if (i < tiles) load((first + i) * kTileKeys, i);
      commit_copies();
    }
    for (int i = 0; i < tiles; ++i) {
      if (i == 0) {
        wait_copies<kStages - 1>();
      } else {
        wait_copies<kStages - 2>();
      }
      __syncthreads();  // the tile is there for all, and nobody reads the one before
      if (i > 0) {
        const int next = i + kStages - 1;
        if (next < tiles) load((first + next) * kTileKeys, next % kStages);
        commit_copies();
      }
      const int tile = (first + i) * kTileKeys;
      attend_tile(tile, i % kStages);
      if (apart) continue;
      if (i + 1 == tiles || (tile + kTileKeys) % kSplitKeys == 0) {
        join_totals();
        begin_split();
      }
    }
    wait_copies<0>();
  }

  /// What one split gave. state_of_row(r): where the state of row r, with its query and head, goes.
  template <typename StateOfRow>
  __device__ void store_states(StateOfRow state_of_row) {
    finish_sums();
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int r = first_row_ + lane_ / 4 + 8 * i;
      if (r >= rows_.count) continue;
      float* const state = state_of_row(r);
#pragma unroll
      for (int n = 0; n < kColumnTiles; ++n) {
        const int d = first_column() + 8 * n + 2 * (lane_ % 4);
        if (d >= params_.cache.head_dim) continue;
        *reinterpret_cast<float2*>(state + d) = float2{values_[n][2 * i], values_[n][2 * i + 1]};
      }
      if (lane_ % 4 == 0 && (!kTogether || warp_ == 0)) {
        state[params_.cache.head_dim] = max_[i];
        state[params_.cache.head_dim + 1] = sum_[i];
      }
    }
  }

  __device__ void store_totals() {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int r = first_row_ + lane_ / 4 + 8 * i;
      if (r >= rows_.count) continue;
      const int64_t token = rows_.sequence.first_token + rows_.query(params_, r);
      const int64_t row = (token * params_.heads + rows_.head(params_, r)) * params_.cache.head_dim;
#pragma unroll
      for (int n = 0; n < kColumnTiles; ++n) {
        const int d = first_column() + 8 * n + 2 * (lane_ % 4);
        if (d >= params_.cache.head_dim) continue;
        store_output(params_, row + d, finish(totals_[4 * n + 2 * i], total_sum_[i]),
                     finish(totals_[4 * n + 2 * i + 1], total_sum_[i]));
      }
    }
  }

 private:
  static constexpr int kRow = kDim + 8;  // elements of a row in shared memory: eight rows lie in different banks
  static constexpr size_t kTileBytes = kTileKeys * kRow * sizeof(T);
  static constexpr size_t kStageBytes = 2 * kTileBytes;  // keys, values
  static constexpr int kStages = kDim <= 128 && kTogether ? 3 : 2;
  static constexpr size_t kQueryBytes = kRows * kRow * sizeof(T);
  static constexpr size_t kExchangeBytes = kWarps * kWarpRows * sizeof(float) + kTileKeys / 16 * kWarp * sizeof(uint4);
  static constexpr int kKeyTiles = (kTogether ? kTileKeys / kWarps : kTileKeys) / 8;
  static constexpr int kColumnTiles = (kTogether ? kDim / kWarps : kDim) / 8;
  static constexpr int kElements = 4 * kColumnTiles;

  /// Rows that there are not are as the last one.
  __device__ int position_of(int r) const {
    return rows_.sequence.first_position + rows_.query(params_, r < rows_.count ? r : rows_.count - 1);
  }
  __device__ int first_column() const { return kTogether ? warp_ * (kDim / kWarps) : 0; }
  __device__ T* keys(int stage) const { return reinterpret_cast<T*>(stages_ + stage * kStageBytes); }
  __device__ T* values(int stage) const { return reinterpret_cast<T*>(stages_ + stage * kStageBytes + kTileBytes); }

  __device__ void begin_split() {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      max_[i] = -__builtin_inff();
      sum_[i] = 0.0F;
    }
#pragma unroll
    for (int n = 0; n < kColumnTiles; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) values_[n][e] = 0.0F;
    }
  }

  /// A query that is too large for a half becomes the largest: infinite ones have no scores.
  __device__ void load_queries() {
    for (int i = static_cast<int>(threadIdx.x); i < kRows * kDim / 2; i += kAttentionThreads) {
      const int r = i / (kDim / 2);
      const int d = i % (kDim / 2) * 2;
      uint32_t pair = 0;
      if (r < rows_.count && d < params_.cache.head_dim) {
        const int64_t token = rows_.sequence.first_token + rows_.query(params_, r);
        pair = *reinterpret_cast<const uint32_t*>(params_.q + token * params_.q_stride +
                                                  rows_.head(params_, r) * params_.cache.head_dim + d);
        if constexpr (std::is_same_v<T, Half>) {
          float2 both = unpack_pair<BFloat16>(pair);
          constexpr float kMost = 65504.0F;
          both.x = both.x > kMost ? kMost : both.x < -kMost ? -kMost : both.x;
          both.y = both.y > kMost ? kMost : both.y < -kMost ? -kMost : both.y;
          pair = pack_pair<T>(both.x, both.y);
        }
      }
      *reinterpret_cast<uint32_t*>(queries_ + r * kRow + d) = pair;
    }
  }

  /// Two threads have a position. What no row sees is not read: it becomes zeros.
  __device__ void load(int tile, int stage) {
    const int key = static_cast<int>(threadIdx.x) / 2;
    const int position = tile + key;
    const bool seen = position >= seen_.begin && position < seen_.end;
    const std::byte* from = reinterpret_cast<const std::byte*>(params_.cache.base);
    if (seen) {
      from = rows_.head_part(params_, position) + position % params_.cache.block_size * params_.layout.row_bytes;
    }
    const int values_at = seen ? params_.layout.values : 0;
    const int chunks = params_.layout.row_bytes / 16;
    T* const to = keys(stage) + key * kRow;
    T* const values_to = values(stage) + key * kRow;
    const int bytes = seen ? 16 : 0;
#pragma unroll(kTogether ? 4 : 2)
    for (int j = 0; j < kDim / 16; ++j) {
      const int chunk = 2 * j + static_cast<int>(threadIdx.x) % 2;
      if (chunk < chunks) copy_16_async(to + 8 * chunk, from + (seen ? 16 * chunk : 0), bytes);
    }
#pragma unroll(kTogether ? 4 : 2)
    for (int j = 0; j < kDim / 16; ++j) {
      const int chunk = 2 * j + static_cast<int>(threadIdx.x) % 2;
      if (chunk < chunks) copy_16_async(values_to + 8 * chunk, from + (seen ? values_at + 16 * chunk : 0), bytes);
    }
  }

  __device__ void attend_tile(int tile, int stage) {
    // Rows of the warp that all lie before or behind it; together all warps have the same rows.
    const Visible first = visible_keys(params_.window, first_position_);
    const Visible last = visible_keys(params_.window, last_position_);
    if (tile >= last.end || tile + kTileKeys <= first.begin) return;
    float scores[kKeyTiles][4];
    score(scores, keys(stage));
    const int first_key = tile + (kTogether ? warp_ * 8 * kKeyTiles : 0);
    const bool whole = tile >= last.begin && tile + kTileKeys <= first.end;
    float most[2] = {-__builtin_inff(), -__builtin_inff()};
#pragma unroll
    for (int n = 0; n < kKeyTiles; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int key = first_key + 8 * n + 2 * (lane_ % 4) + e % 2;
        const Visible visible = visible_keys(params_.window, position_[e / 2]);
        const bool sees = whole || (key >= visible.begin && key < visible.end);
        scores[n][e] = sees ? score_of(params_, scores[n][e]) : -__builtin_inff();
        most[e / 2] = fmaxf(most[e / 2], scores[n][e]);
      }
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      most[i] = fmaxf(most[i], __shfl_xor_sync(kAllLanes, most[i], 1));
      most[i] = fmaxf(most[i], __shfl_xor_sync(kAllLanes, most[i], 2));
    }
    if constexpr (kTogether) {
      if (lane_ % 4 == 0) {
        row_max_[warp_ * kWarpRows + lane_ / 4] = most[0];
        row_max_[warp_ * kWarpRows + lane_ / 4 + 8] = most[1];
      }
      __syncthreads();
#pragma unroll
      for (int w = 0; w < kWarps; ++w) {
        most[0] = fmaxf(most[0], row_max_[w * kWarpRows + lane_ / 4]);
        most[1] = fmaxf(most[1], row_max_[w * kWarpRows + lane_ / 4 + 8]);
      }
    }
    float base[2];  // what is taken off a score: its row's maximum, where it has seen a key
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const float max = fmaxf(max_[i], most[i]);
      base[i] = max == -__builtin_inff() ? 0.0F : max;
      const float factor = exp2_of(__fsub_rn(max_[i], base[i]));
      max_[i] = max;
      sum_[i] = __fmul_rn(sum_[i], factor);
#pragma unroll
      for (int n = 0; n < kColumnTiles; ++n) {
        values_[n][2 * i] = __fmul_rn(values_[n][2 * i], factor);
        values_[n][2 * i + 1] = __fmul_rn(values_[n][2 * i + 1], factor);
      }
    }
    // Weights as the next product's operand: of 16 keys each.
    uint32_t weights[kTileKeys / 16][4];
#pragma unroll
    for (int k = 0; k < kKeyTiles / 2; ++k) {
      uint32_t packed[4];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const float* const pair = scores[2 * k + j / 2] + 2 * (j % 2);
        packed[j] = pack_pair<T>(exp2_of(__fsub_rn(pair[0], base[j % 2])), exp2_of(__fsub_rn(pair[1], base[j % 2])));
      }
      if constexpr (kTogether) {
        weights_[(warp_ * kKeyTiles / 2 + k) * kWarp + lane_] = make_uint4(packed[0], packed[1], packed[2], packed[3]);
      } else {
#pragma unroll
        for (int j = 0; j < 4; ++j) weights[k][j] = packed[j];
      }
    }
    if constexpr (kTogether) {
      __syncthreads();
#pragma unroll
      for (int k = 0; k < kTileKeys / 16; ++k) {
        const uint4 packed = weights_[k * kWarp + lane_];
        weights[k][0] = packed.x, weights[k][1] = packed.y, weights[k][2] = packed.z, weights[k][3] = packed.w;
      }
    }
    add_values(weights, values(stage));
  }

  /// Products of queries and keys, 8 keys a tile.
  __device__ void score(float (&scores)[kKeyTiles][4], const T* keys) {
#pragma unroll
    for (int n = 0; n < kKeyTiles; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) scores[n][e] = 0.0F;
    }
    const T* const query = queries_ + (first_row_ + lane_ % 16) * kRow + lane_ / 16 * 8;
    const T* const key = keys + ((kTogether ? warp_ * 8 * kKeyTiles : 0) + lane_ % 8) * kRow + lane_ / 8 * 8;
#pragma unroll(kTogether || kDim <= 64 ? kDim / 32 : 1)  // more take more registers than there are
    for (int d = 0; d < kDim; d += 32) {
      uint32_t a[2][4];
      load_matrices(a[0], query + d);
      load_matrices(a[1], query + d + 16);
#pragma unroll
      for (int n = 0; n < kKeyTiles; ++n) {
        uint32_t b[4];
        load_matrices(b, key + 8 * n * kRow + d);
        multiply_add<T>(scores[n], a[0], b[0], b[1]);
        multiply_add<T>(scores[n], a[1], b[2], b[3]);
      }
    }
  }

  __device__ void add_values(const uint32_t (&weights)[kTileKeys / 16][4], const T* values) {
    // The sum is of the weights as they are multiplied.
#pragma unroll
    for (int i = 0; i < 2; ++i) {
#pragma unroll
      for (int k = 0; k < kTileKeys / 16; ++k) {
#pragma unroll
        for (int j = 0; j < 2; ++j) {
          const float2 pair = unpack_pair<T>(weights[k][2 * j + i]);
          sum_[i] = __fadd_rn(sum_[i], __fadd_rn(pair.x, pair.y));
        }
      }
    }
    const T* const value = values + lane_ * kRow + first_column();
#pragma unroll
    for (int n = 0; n < kColumnTiles; ++n) {
#pragma unroll
      for (int k = 0; k < kTileKeys / 32; ++k) {
        uint32_t b[4];
        load_matrices_transposed(b, value + 32 * k * kRow + 8 * n);
        multiply_add<T>(values_[n], weights[2 * k], b[0], b[1]);
        multiply_add<T>(values_[n], weights[2 * k + 1], b[2], b[3]);
      }
    }
  }

  /// A row's sum lies with four lanes.
  __device__ void finish_sums() {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      sum_[i] = __fadd_rn(sum_[i], __shfl_xor_sync(kAllLanes, sum_[i], 1));
      sum_[i] = __fadd_rn(sum_[i], __shfl_xor_sync(kAllLanes, sum_[i], 2));
    }
  }

  __device__ void join_totals() {
    finish_sums();
    MergeFactors factors[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      factors[i] = merge_max(total_max_[i], max_[i]);
      total_sum_[i] = merge(total_sum_[i], sum_[i], factors[i]);
    }
#pragma unroll
    for (int e = 0; e < kElements; ++e) totals_[e] = merge(totals_[e], values_[e / 4][e % 4], factors[e % 4 / 2]);
  }

  const AttentionParams& params_;
  AttentionRows rows_;
  const int lane_;
  const int warp_;
  const int first_row_;  // the warp's
  T* const queries_;     // [kRows, kRow]
  std::byte* const stages_;
  float* const row_max_;  // [kWarps, kWarpRows]: together, of each warp's keys
  uint4* const weights_;  // [kTileKeys / 16, kWarp]: together
  Visible seen_;          // by any row of the block
  int first_position_;    // the warp's rows'
  int last_position_;

  // Of rows lane / 4 and lane / 4 + 8.
  int position_[2];
  float max_[2];  // of the split
  float sum_[2];  // a lane's part
  float total_max_[2];
  float total_sum_[2];
  float values_[kColumnTiles][4];
  float totals_[kElements];  // as values_, of the splits before
};

}  // namespace caravel::kernels::cuda
