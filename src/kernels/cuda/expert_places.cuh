#pragma once

#include <cstdint>

#include "kernels/cuda/common.cuh"
#include "kernels/expert_table.h"

namespace caravel::kernels::cuda {

struct RowRange {
  int begin;
  int count;
};

/// Finds an expert's rows by counting, with a block of whole warps: those of lower experts come before, its own in the
/// order of tokens. function(entry, row, place among its own) for each entry of `chosen` that is the expert. All
/// threads.
template <typename Function>
__device__ RowRange place_rows(const int32_t* chosen, int entries, int expert, Function function) {
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int share = (entries + warps * kWarp - 1) / (warps * kWarp) * kWarp;  // a warp's
  const int end = min(entries, (warp + 1) * share);
  int less = 0;
  int equal = 0;
#pragma unroll 4
  for (int i = warp * share + lane; i < end; i += kWarp) {
    const int32_t other = chosen[i];
    less += other < expert ? 1 : 0;
    equal += other == expert ? 1 : 0;
  }
  less = reduce_block(less, 0, Sum());
  __shared__ int of_warps[kWarp];
  equal = reduce_warp(equal, Sum());
  if (lane == 0) of_warps[warp] = equal;
  __syncthreads();
  const int of_warp = lane < warps ? of_warps[lane] : 0;
  const int count = reduce_warp(of_warp, Sum());
  int next = reduce_warp(lane < warp ? of_warp : 0, Sum());
  if (equal > 0) {
    for (int i = warp * share; i < end; i += kWarp) {
      const bool is_equal = i + lane < end && chosen[i + lane] == expert;
      const unsigned lanes = __ballot_sync(kAllLanes, is_equal);
      if (is_equal) {
        const int place = next + __popc(lanes & ((1U << lane) - 1));
        function(i + lane, less + place, place);
      }
      next += __popc(lanes);
    }
  }
  return {less, count};
}

__device__ __forceinline__ void write_row(const ExpertTable& table, int entry, int row) {
  table.rows[entry] = row;
  table.row_token[row] = entry / table.per_token;
}

/// By one thread of an expert's.
__device__ __forceinline__ void write_begin(const ExpertTable& table, int expert, const RowRange& range) {
  if (threadIdx.x != 0) return;
  table.row_begin[expert] = range.begin;
  if (expert == table.experts - 1) table.row_begin[table.experts] = range.begin + range.count;
}

}  // namespace caravel::kernels::cuda
