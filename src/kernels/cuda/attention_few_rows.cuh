#pragma once

#include <cstdint>

#include "kernels/cuda/attention_params.cuh"
#include "kernels/cuda/cluster.cuh"
#include "kernels/cuda/mma.cuh"

namespace caravel::kernels::cuda {

/// Blocks of threads that share a sequence's splits: a cluster's. (Sixteen is what the hardware has at most.)
inline constexpr int kMaxSharers = 16;

/// Rows whose splits are shared out to the blocks of a cluster in turn. In rounds each leaves the states of as many of
/// its splits as it has room for, and then all of them merge states, each thread for some elements of its own.
template <typename Tile, int kDim>
class SharedRows {
 public:
  __device__ SharedRows(const AttentionParams& params, float* states)
      : params_(params),
        states_(states),
        rank_(static_cast<int>(blockIdx.x)),
        blocks_(static_cast<int>(gridDim.x)),
        row_floats_(params.cache.head_dim + 2) {}

  __device__ void attend(Tile& tile, const AttentionRows& rows, int first, int splits) {
    const int mine = (splits - rank_ + blocks_ - 1) / blocks_;
    const int room = params_.state_rows / rows.count;
    pairs_ = rows.count * (params_.cache.head_dim / 2);
#pragma unroll
    for (int j = 0; j < kMostPairs; ++j) {
      totals_[j] = {0.0F, 0.0F};
      max_[j] = -__builtin_inff();
      sum_[j] = 0.0F;
    }
    tile.begin(rows, first + rank_, blocks_, mine);
    for (int begin = 0; begin < splits; begin += room * blocks_) {
      const int round = min(splits - begin, room * blocks_);
      for (int i = 0; rank_ + i * blocks_ < round; ++i) {
        tile.attend();
        tile.store_state(states_ + i * rows.count * row_floats_);
      }
      sync_cluster();
      merge_round(rows, round);
      sync_cluster();
    }
    store(rows);
  }

 private:
  static constexpr int kAtOnce = kMaxSharers;  // states that a thread asks for before it merges them
  static constexpr int kMostPairs = Tile::kRows * kDim / 2 / (2 * Tile::kThreads);  // of two blocks' threads

  __device__ int pair_of(int j) const { return (j * blocks_ + rank_) * Tile::kThreads + static_cast<int>(threadIdx.x); }

  /// States of splits in order: split i lies with block i % blocks.
  __device__ void merge_round(const AttentionRows& rows, int round) {
    const int half = params_.cache.head_dim / 2;
    const uint32_t states = shared_address(states_);
#pragma unroll
    for (int j = 0; j < kMostPairs; ++j) {
      const int pair = pair_of(j);
      if (pair >= pairs_) break;
      const int r = pair / half;
      for (int begin = 0; begin < round; begin += kAtOnce) {
        float2 values[kAtOnce];
        float2 max_and_sum[kAtOnce];
#pragma unroll
        for (int i = 0; i < kAtOnce; ++i) {
          const int split = min(begin + i, round - 1);
          const int place = split / blocks_ * rows.count + r;
          const uint32_t state = address_of_block(states + place * row_floats_ * sizeof(float), split % blocks_);
          values[i] = load_pair_of_cluster(state + pair % half * sizeof(float2));
          max_and_sum[i] = load_pair_of_cluster(state + params_.cache.head_dim * sizeof(float));
          if (begin + i >= round) max_and_sum[i].x = -__builtin_inff();  // which changes nothing
        }
#pragma unroll
        for (int i = 0; i < kAtOnce; ++i) {
          const MergeFactors factors = merge_max(max_[j], max_and_sum[i].x);
          sum_[j] = merge(sum_[j], max_and_sum[i].y, factors);
          totals_[j] = {merge(totals_[j].x, values[i].x, factors), merge(totals_[j].y, values[i].y, factors)};
        }
      }
    }
  }

  __device__ void store(const AttentionRows& rows) const {
    const int half = params_.cache.head_dim / 2;
#pragma unroll
    for (int j = 0; j < kMostPairs; ++j) {
      const int pair = pair_of(j);
      if (pair >= pairs_) break;
      store_output(params_, rows.output(params_, pair / half) + 2 * (pair % half), totals_[j], inverse_of(sum_[j]));
    }
  }

  const AttentionParams& params_;
  float* const states_;  // [room, rows, row_floats]
  const int rank_;
  const int blocks_;
  const int row_floats_;
  int pairs_;
  // Of this thread's pairs of elements.
  float2 totals_[kMostPairs];
  float max_[kMostPairs];
  float sum_[kMostPairs];
};

/// Splits of the keys, one after the other, by one block.
template <typename Tile>
__device__ void attend_alone(const AttentionParams& params, Tile& tile, const AttentionRows& rows) {
  const Visible seen = rows.visible(params);
  const int splits = splits_in(seen);
  tile.begin(rows, seen.begin / kSplitKeys, 1, splits);
  for (int i = 0; i < splits; ++i) {
    tile.attend();
    tile.join_totals();
  }
  tile.store_totals();
}

/// Sequences of few rows: grid [blocks of a cluster, KV heads, sequences].
template <typename Tile, int kDim>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    attend_few_rows(const __grid_constant__ AttentionParams params) {
  follow_kernel_before();
  extern __shared__ __align__(1024) std::byte shared[];
  const int s = static_cast<int>(blockIdx.z);
  const AttentionSequence sequence = sequence_at(params.batch, s);
  if (sequence.queries <= 0 || !has_few_rows(params, sequence)) return;
  Tile tile(params, shared);
  SharedRows<Tile, kDim> together(params, reinterpret_cast<float*>(shared + Tile::shared_bytes(params.cache.head_dim)));
  for (int begin = 0; begin < sequence.queries * params.group; begin += Tile::kRows) {
    const AttentionRows rows = rows_of(params, s, sequence, static_cast<int>(blockIdx.y), begin, Tile::kRows);
    const Visible seen = rows.visible(params);
    const int splits = splits_in(seen);
    if (gridDim.x > 1 && splits > 1) {
      together.attend(tile, rows, seen.begin / kSplitKeys, splits);
    } else if (blockIdx.x == 0) {
      attend_alone(params, tile, rows);
    }
  }
}

}  // namespace caravel::kernels::cuda
