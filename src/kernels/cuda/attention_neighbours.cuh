#pragma once

#include <cstdint>

#include "kernels/cuda/attention_few_rows.cuh"

namespace caravel::kernels::cuda {

/// What a cluster does for some of its sequences: what several have in common, or what is one's own.
struct NeighbourJob {
  int first;   // of the cluster's sequences
  int count;   // 1: it is one's own
  int splits;  // that are common, of one's own: that are done
  int row;     // of one's own: its first among those that were computed together
};

/// The jobs of sequences first .. first + params.neighbours - 1 of the batch, in order: a run of neighbours with whole
/// splits in common, then each of them. In shared memory; made by all threads.
class NeighbourJobs {
 public:
  static constexpr size_t kBytes = (1 + kFewRows + kFewRows / 2) * sizeof(NeighbourJob);

  __device__ NeighbourJobs(const AttentionParams& params, int first, std::byte* shared)
      : jobs_(reinterpret_cast<NeighbourJob*>(shared)) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int there = min(params.neighbours, params.batch.num_seqs - first);
    int whole = 0;   // splits before its only token
    int common = 0;  // of these, from the first on, with the sequence before
    if (lane < there) {
      const AttentionSequence sequence = sequence_at(params.batch, first + lane);
      if (sequence.queries == 1) {
        whole = sequence.first_position / kSplitKeys;
        common = min(whole, params.batch.shared_blocks[first + lane] * params.cache.block_size / kSplitKeys);
      }
    }
    for (int begin = 0; begin < there;) {
      int splits = __shfl_sync(kAllLanes, whole, begin);
      int end = begin + 1;
      // The next one joins where that spares more reads than were spared without it.
      for (; end < there; ++end) {
        const int all = min(splits, __shfl_sync(kAllLanes, common, end));
        if ((end - begin) * all <= (end - begin - 1) * splits) break;
        splits = all;
      }
      const bool several = end - begin > 1;
      if (several) add({begin, end - begin, splits, 0});
      for (int s = begin; s < end; ++s) add({s, 1, several ? splits : 0, (s - begin) * params.group});
      begin = end;
    }
    add({});
    __syncthreads();
  }

  /// Behind the last one it is none, of count 0.
  __device__ NeighbourJob operator[](int i) const { return jobs_[i]; }

 private:
  __device__ void add(const NeighbourJob& job) {
    if (threadIdx.x == 0) jobs_[count_] = job;
    ++count_;
  }

  NeighbourJob* const jobs_;
  int count_ = 0;
};

/// Sequences of few rows, neighbours of which have much in common: grid [blocks of a cluster, KV heads, clusters]. The
/// blocks of a cluster share out the splits that a run of its sequences has in common, with the rows of all of them,
/// whose totals go to the block that has the sequence; that one goes on with what is the sequence's own.
template <typename Tile, int kDim>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    attend_neighbours(const __grid_constant__ AttentionParams params) {
  let_next_kernel_in();
  if (!params.settled) wait_for_kernel_before();
#if __CUDA_ARCH__ >= 900
  extern __shared__ __align__(1024) std::byte shared[];
  using Together = SharedRows<Tile, kDim>;
  const int first = static_cast<int>(blockIdx.z) * params.neighbours;
  std::byte* const behind_tile = shared + Tile::shared_bytes(params.cache.head_dim);
  const NeighbourJobs jobs(params, first, behind_tile + Together::kBytes);
  Tile tile(params, shared, !params.settled);
  Together together(params, behind_tile);
  // What follows from a job is read where it is used: registers are few.
  for (int i = 0, row = 0; jobs[i].count > 0;) {
    const NeighbourJob job = jobs[i];
    const bool common = job.count > 1;
    AttentionSequence sequence = sequence_at(params.batch, first + job.first);
    if (common) {
      // As if they were tokens of the first sequence that stand right behind what is common.
      sequence.queries = job.count;
      sequence.first_position = job.splits * kSplitKeys;
    } else {
      const int block = job.splits > 0 ? together.block_of(job.row) : job.first % Together::sharers();
      if (block != Together::rank() || row >= sequence.queries * params.group || !has_few_rows(params, sequence)) {
        ++i;
        row = 0;
        continue;
      }
    }
    const AttentionRows rows = rows_of(params, sequence, static_cast<int>(blockIdx.y), row, Tile::kRows);
    Visible seen = rows.visible(params);
    if (common) seen.end = job.splits * kSplitKeys;
    if (common) together.share_out(rows, params.group);
    const int done = common ? 0 : job.splits;
    together.add_up(tile, rows, seen, done, splits_in(seen) - done, !common || Together::sharers() == 1, [&] {
      if (done > 0) tile.take_totals(together.pairs_of(job.row), together.sums_of(job.row));
    });
    if (jobs[i].count > 1) {
      together.put_totals(tile);
      ++i;
    } else {
      tile.store_totals();
      row += Tile::kRows;
    }
  }
#endif
  wait_for_kernel_before();  // blocks that had nothing to do have not yet
}

}  // namespace caravel::kernels::cuda
