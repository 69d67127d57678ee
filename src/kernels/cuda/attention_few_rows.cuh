#pragma once

#include <cstdint>

#include "kernels/cuda/attention_params.cuh"
#include "kernels/cuda/cluster.cuh"
#include "kernels/cuda/mma.cuh"

namespace caravel::kernels::cuda {

/// Where the states of a split go: pair `p` of all rows' elements to the block that merges it, p >> shift of the
/// cluster, and each row's largest score and sum to all blocks that merge any.
struct StateRoute {
  uint32_t place;    // in a block's shared memory: pairs [1 << shift], then rows
  uint32_t barrier;  // that counts what comes
  int shift;
  int half;    // pairs of a row
  int blocks;  // that merge

  /// Elements d and d + 1 of a row; d is even.
  __device__ void send(int r, int d, float2 pair) const {
    const int p = r * half + d / 2;
    send_to(p >> shift, place + (p & ((1 << shift) - 1)) * sizeof(float2), pair);
  }
  __device__ void send_row(int r, int block, float max, float sum) const {
    send_to(block, place + ((1 << shift) + r) * sizeof(float2), {max, sum});
  }

 private:
  __device__ void send_to(int block, uint32_t to, float2 pair) const {
    send_pair(address_of_block(to, block), pair, address_of_block(barrier, block));
  }
};

/// Rows whose splits are shared out to the blocks of a cluster in turn, where there are several. Each block merges some
/// elements of all, so it is sent the part of every split's state that tells of those: in rounds, of as many splits as
/// it has room for.
template <typename Tile, int kDim>
class SharedRows {
 public:
  /// Of shared memory, beside the tile's.
  static constexpr size_t kBytes = Tile::kStateBytes + sizeof(uint64_t);

  __device__ SharedRows(const AttentionParams& params, std::byte* shared)
      : params_(params), states_(shared), half_(params.cache.head_dim / 2) {
    if (threadIdx.x == 0 && sharers() > 1) {  // one alone has no room for it
      init_barrier(barrier(), 1);
      fence_barrier_init();
    }
  }

  __device__ void attend(Tile& tile, const AttentionRows& rows) {
    const Visible seen = rows.visible(params_);
    const int splits = splits_in(seen);
    const bool alone = sharers() == 1 || splits == 1;
    if (alone && rank() > 0) return;
    share_out(rows, 0);
    add_up(tile, rows, seen, seen.begin / kSplitKeys, splits, alone, [] {});
    if (alone) {
      tile.store_totals();
    } else {
      store(rows);
    }
  }

  /// A block merges `together` whole rows at least, where both are powers of two; 0: any elements.
  __device__ void share_out(const AttentionRows& rows, int together) {
    rows_ = rows.count;
    shift_ = 0;
    while (sharers() << shift_ < rows_ * half_ || 1 << shift_ < together * half_) ++shift_;
#pragma unroll
    for (int j = 0; j < kMostPairs; ++j) {
      totals_[j] = {0.0F, 0.0F};
      max_[j] = -__builtin_inff();
      sum_[j] = 0.0F;
    }
  }

  /// The states of `splits` splits from `first` on become totals: the tile's of a block that is alone, else each
  /// block's of its elements. begun(): once the tile has begun with the rows.
  template <typename Begun>
  __device__ void add_up(Tile& tile, const AttentionRows& rows, const Visible& seen, int first, int splits, bool alone,
                         const Begun& begun) {
    const int blocks = alone ? 1 : sharers();
    const int mine = alone ? 0 : rank();
    if (!alone) arrive_at_cluster();
    tile.begin(rows, seen, first + mine, blocks, (splits - mine + blocks - 1) / blocks);
    begun();
    const int room = alone ? splits : Tile::kStateBytes / split_bytes();
    // A block that is sent nothing waits at no barrier: its first thread by itself would complete phase after phase,
    // and a thread that comes late to one of them would wait for ever.
    const bool merges = !alone && pairs() > 0;
    for (int begin = 0; begin < splits; begin += room) {
      const int round = min(splits - begin, room);
      if (merges && threadIdx.x == 0) arrive_expecting(barrier(), round * (pairs() + rows_) * sizeof(float2));
      bool may_send = alone;
      for (int i = (mine + blocks - begin % blocks) % blocks; i < round; i += blocks) {
        tile.attend();
        if (alone) {
          tile.join_totals();
          continue;
        }
        if (!may_send) wait_for_cluster();  // all have merged what came before
        may_send = true;
        tile.send_state(route(i));
      }
      if (!may_send) wait_for_cluster();
      if (alone) break;
      if (merges) {
        wait_barrier(barrier(), phase_);
        phase_ ^= 1U;
        merge_round(round);
      }
      if (begin + room < splits) arrive_at_cluster();
    }
  }

  /// The totals come to lie where pairs_of() and sums_of() say.
  __device__ void put_totals(const Tile& tile) {
    if (sharers() == 1) return tile.put_totals(pairs_of(0), sums_of(0));
    __syncthreads();  // all threads have merged what lies there
#pragma unroll
    for (int j = 0; j < kMostPairs; ++j) {
      const int pair = pair_of(j);
      if (pair >= pairs()) break;
      pairs_of(0)[first_pair() + pair] = totals_[j];
      const int r = (first_pair() + pair) / half_;
      if (r * half_ == first_pair() + pair) *sums_of(r) = {max_[j], sum_[j]};
    }
  }
  /// Which block of the cluster has row r, where `together` rows lie with one.
  __device__ int block_of(int r) const { return r * half_ >> shift_; }
  /// Row r's pairs of elements, of a row that this block has; and its largest score and sum.
  __device__ float2* pairs_of(int r) const { return reinterpret_cast<float2*>(states_) + r * half_ - first_pair(); }
  __device__ float2* sums_of(int r) const { return reinterpret_cast<float2*>(states_) + (1 << shift_) + r; }

  // What follows from the members is worked out where it is used: registers are few.
  __device__ static int rank() { return static_cast<int>(blockIdx.x); }
  __device__ static int sharers() { return static_cast<int>(gridDim.x); }

 private:
  static constexpr int kAtOnce = 8;  // states that a thread reads before it merges them
  static constexpr int kMostPairs = Tile::kRows * kDim / 2 / (2 * Tile::kThreads);  // of two blocks' threads

  __device__ StateRoute route(int i) const {
    const int merging = ((rows_ * half_ - 1) >> shift_) + 1;
    return {shared_address(states_) + i * split_bytes(), barrier(), shift_, half_, merging};
  }

  __device__ uint32_t barrier() const { return shared_address(states_ + Tile::kStateBytes); }
  __device__ int first_pair() const { return rank() << shift_; }
  __device__ int pairs() const { return max(0, min(1 << shift_, rows_ * half_ - first_pair())); }
  __device__ int split_bytes() const { return ((1 << shift_) + rows_) * static_cast<int>(sizeof(float2)); }
  __device__ static int pair_of(int j) { return j * Tile::kThreads + static_cast<int>(threadIdx.x); }

  /// States of splits in order.
  __device__ void merge_round(int round) {
#pragma unroll
    for (int j = 0; j < kMostPairs; ++j) {
      const int pair = pair_of(j);
      if (pair >= pairs()) break;
      const std::byte* const values = states_ + pair * sizeof(float2);
      const std::byte* const row = states_ + ((1 << shift_) + (first_pair() + pair) / half_) * sizeof(float2);
      for (int begin = 0; begin < round; begin += kAtOnce) {
        float2 state[kAtOnce];
        float2 max_and_sum[kAtOnce];
#pragma unroll
        for (int i = 0; i < kAtOnce; ++i) {
          const int at = min(begin + i, round - 1) * split_bytes();
          state[i] = *reinterpret_cast<const float2*>(values + at);
          max_and_sum[i] = *reinterpret_cast<const float2*>(row + at);
          if (begin + i >= round) max_and_sum[i].x = -__builtin_inff();  // which changes nothing
        }
#pragma unroll
        for (int i = 0; i < kAtOnce; ++i) {
          const MergeFactors factors = merge_max(max_[j], max_and_sum[i].x);
          sum_[j] = merge(sum_[j], max_and_sum[i].y, factors);
          totals_[j] = {merge(totals_[j].x, state[i].x, factors), merge(totals_[j].y, state[i].y, factors)};
        }
      }
    }
  }

  __device__ void store(const AttentionRows& rows) const {
#pragma unroll
    for (int j = 0; j < kMostPairs; ++j) {
      const int pair = pair_of(j);
      if (pair >= pairs()) break;
      const int r = (first_pair() + pair) / half_;
      const int at = 2 * (first_pair() + pair - r * half_);
      store_output(params_, rows.output(params_, r) + at, totals_[j],
                   inverse_of_row(params_, rows, r, sum_[j], max_[j]));
    }
  }

  const AttentionParams& params_;
  std::byte* const states_;  // of a round's splits: this block's pairs, float2 [1 << shift], then rows, float2
  const int half_;           // pairs of a row
  int rows_;
  int shift_;  // a block has 1 << shift pairs, from first_pair() on
  uint32_t phase_ = 0;
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
  tile.begin(rows, seen, seen.begin / kSplitKeys, 1, splits);
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
  let_next_kernel_in();
  if (!params.settled) wait_for_kernel_before();
  extern __shared__ __align__(1024) std::byte shared[];
  const int s = static_cast<int>(blockIdx.z);
  const AttentionSequence sequence = sequence_at(params.batch, s);
  if (sequence.queries <= 0 || !has_few_rows(params, sequence)) {
    wait_for_kernel_before();  // as who comes next takes for granted
    return;
  }
  Tile tile(params, shared, !params.settled);
#if __CUDA_ARCH__ >= 900
  SharedRows<Tile, kDim> together(params, shared + Tile::shared_bytes(params.cache.head_dim));
#endif
  for (int begin = 0; begin < sequence.queries * params.group; begin += Tile::kRows) {
    const AttentionRows rows = rows_of(params, sequence, static_cast<int>(blockIdx.y), begin, Tile::kRows);
#if __CUDA_ARCH__ >= 900
    together.attend(tile, rows);
#else
    attend_alone(params, tile, rows);  // there are no clusters
#endif
  }
  wait_for_kernel_before();  // blocks that had nothing to do have not yet
}

}  // namespace caravel::kernels::cuda
