#pragma once

#include <climits>
#include <cstdint>

#include "kernels/cuda/gemm_tasks.h"
#include "kernels/cuda/tile_plan.h"

namespace caravel::kernels::cuda {

/// Whose rows of inputs are whose, where a weight is many experts': as of ExpertTable, of which an op reads no more.
struct ExpertRows {
  const int32_t* row_begin = nullptr;  // [count + 1]
  int count = 0;
  bool settled = false;  // may be read before the kernel before is done
};

inline ExpertRows expert_rows(const GemmTask& task) {
  if (task.table == nullptr) return {};
  return {.row_begin = task.table->row_begin, .count = task.table->experts, .settled = task.table_is_settled};
}

/// An expert that has rows, in a list of those; and how many tiles it and all before it have.
struct ListedExpert {
  int expert;
  int begin;
  int end;
  int end_tile;
};
static_assert(sizeof(ListedExpert) == kListedExpertBytes);

/// The `i`-th of a list in shared memory.
__device__ inline ListedExpert listed_expert(const int4* list, int i) {
  const int4 four = list[i];
  return {four.x, four.y, four.z, four.w};
}

/// What rows from `begin` to `end` take of tiles of so many tokens.
__device__ inline int token_tiles_of(int begin, int end, int tile_tokens) {
  return (end - begin + tile_tokens - 1) / tile_tokens;
}

/// Of all lanes up to this one. All lanes call it.
__device__ inline int sum_of_lanes_to(int value) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int apart = 1; apart < 32; apart *= 2) {
    const int before = __shfl_up_sync(~0U, value, apart);
    if (lane >= apart) value += before;
  }
  return value;
}

/// Writes the list of experts that have rows, in order, and behind them one that ends it: its number is -1, and its
/// tiles end nowhere. By a warp, whose lanes read the table at once: how long that takes is how late its kernel begins.
/// row_tiles: of an expert.
__device__ inline void list_experts(const ExpertRows& experts, int row_tiles, int tile_tokens, int4* list) {
  constexpr int kAtOnce = 4;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  int listed = 0;
  int end_tile = 0;
  for (int first = 0; first < experts.count; first += 32 * kAtOnce) {
    int begin[kAtOnce];
    int end[kAtOnce];
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int expert = first + 32 * i + lane;
      const bool there = expert < experts.count;
      // Past the first cache, in which the table of a layer before may lie.
      begin[i] = there ? __ldcg(experts.row_begin + expert) : 0;
      end[i] = there ? __ldcg(experts.row_begin + expert + 1) : 0;
    }
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int tiles = sum_of_lanes_to(token_tiles_of(begin[i], end[i], tile_tokens) * row_tiles);
      const bool has_rows = begin[i] < end[i];
      const unsigned with_rows = __ballot_sync(~0U, has_rows);
      if (has_rows) {
        const int place = listed + __popc(with_rows & ((1U << lane) - 1));
        list[place] = make_int4(first + 32 * i + lane, begin[i], end[i], end_tile + tiles);
      }
      listed += __popc(with_rows);
      end_tile += __shfl_sync(~0U, tiles, 31);
    }
  }
  if (lane == 0) list[listed] = make_int4(-1, 0, 0, INT_MAX);
}

}  // namespace caravel::kernels::cuda
