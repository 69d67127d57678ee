#pragma once

#include <cstdint>

#include "kernels/cuda/attention_few_rows.cuh"

namespace caravel::kernels::cuda {

/// Some rows of one KV head of a sequence that has many.
struct RowTile {
  int s = -1;  // the sequence; -1: there are no more
  AttentionSequence sequence;
  int begin;  // the first row
};

/// Tile `wanted` of all sequences' tiles of `rows` rows. The last tiles of a sequence see the most keys, and come
/// first. All lanes of a warp call it.
__device__ inline RowTile find_row_tile(const AttentionParams& params, int rows, int wanted) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  int before = 0;
  for (int first = 0; first < params.batch.num_seqs; first += kWarp) {
    const int s = first + lane;
    int tiles = 0;
    if (s < params.batch.num_seqs) {
      const AttentionSequence sequence = sequence_at(params.batch, s);
      if (sequence.queries > 0 && !has_few_rows(params, sequence)) {
        tiles = (sequence.queries * params.group + rows - 1) / rows;
      }
    }
    int end = tiles;  // of the tiles of sequences up to s
#pragma unroll
    for (int apart = 1; apart < kWarp; apart *= 2) {
      const int other = __shfl_up_sync(kAllLanes, end, apart);
      if (lane >= apart) end += other;
    }
    const unsigned behind = __ballot_sync(kAllLanes, before + end > wanted);
    if (behind == 0) {
      before += __shfl_sync(kAllLanes, end, kWarp - 1);
      continue;
    }
    const int found = __ffs(static_cast<int>(behind)) - 1;
    const int left = before + __shfl_sync(kAllLanes, end, found) - wanted - 1;
    return {first + found, sequence_at(params.batch, first + found), left * rows};
  }
  return {};
}

/// Tiles of rows of the sequences that have many: grid [a bound of the tiles' number, KV heads].
template <typename Tile>
__global__ void __launch_bounds__(Tile::kThreads) attend_many_rows(const __grid_constant__ AttentionParams params) {
  follow_kernel_before();
  extern __shared__ __align__(1024) std::byte shared[];
  const RowTile found = find_row_tile(params, Tile::kRows, static_cast<int>(blockIdx.x));
  if (found.s < 0) return;
  Tile tile(params, shared, true);
  attend_alone(params, tile, rows_of(params, found.sequence, static_cast<int>(blockIdx.y), found.begin, Tile::kRows));
}

}  // namespace caravel::kernels::cuda
