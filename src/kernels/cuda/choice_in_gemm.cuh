#pragma once

#include <climits>
#include <cstdint>

#include "kernels/cuda/expert_choice.cuh"
#include "kernels/cuda/expert_list.cuh"
#include "kernels/cuda/gemm_tasks.h"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/router_sums.cuh"

namespace caravel::kernels::cuda {

/// What a grouped GEMM of few tokens chooses their experts by, which so finds no table: every block of threads chooses
/// for itself, and takes all tokens' rows as they are beside each other. The first block writes table and logits.
struct ChoiceInGemm {
  ChooseExpertsArgs choose;
  RouterSums router;
};

/// In shared memory.
struct ChoiceInGemmSpace {
  uint32_t columns[kMostExpertsChosen];  // of an expert: bits of its tokens
  int32_t begin[kMostExpertsChosen];     // its first row
  ChoiceSpace of_tokens[kMostTokensChosen];
};

/// The row of a token in a table, where it is an expert's that begins at row `begin` and has those columns.
__device__ inline int row_of_column(uint32_t columns, int begin, int token) {
  return begin + __popc(columns & ((1U << token) - 1));
}

/// By `threads` threads, whole warps, each of which has a token at a time; behind it all threads of the block have to
/// meet. kEach: of ExpertChooser.
template <int kEach>
__device__ inline void choose_columns(const ChoiceInGemm& choice, ChoiceInGemmSpace& space, int threads) {
  const auto thread = static_cast<int>(threadIdx.x);
  const ExpertTable& table = choice.choose.table;
  for (int e = thread; e < table.experts; e += threads) space.columns[e] = 0;
  sync_threads(1, threads);
  wait_for_kernel_before();
  for (int token = thread / kWarp; token < table.tokens; token += threads / kWarp) {
    ChoiceSpace& own = space.of_tokens[token];
    const float factor = choice.router.factor(token);
    ExpertChooser<kEach>(choice.choose, own, nullptr).choose(token, false, [&](int e) {
      return choice.router.logit(token, e, factor);
    });
    if (thread % kWarp < table.per_token) atomicOr(&space.columns[own.chosen[thread % kWarp]], 1U << token);
  }
}

/// As list_experts() of a table, but that columns stand where rows end; notes where experts' rows begin, too.
__device__ inline void list_chosen(int experts, int row_tiles, ChoiceInGemmSpace& space, int4* list) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  int listed = 0;
  int rows = 0;
#pragma unroll 4
  for (int first = 0; first < experts; first += kWarp) {
    const int e = first + lane;
    const uint32_t columns = e < experts ? space.columns[e] : 0;
    const int up_to = rows + sum_of_lanes_to(__popc(columns));
    const int begin = up_to - __popc(columns);
    const unsigned with_rows = __ballot_sync(kAllLanes, columns != 0);
    if (e < experts) space.begin[e] = begin;
    if (columns != 0) {
      const int place = listed + __popc(with_rows & ((1U << lane) - 1));
      list[place] = make_int4(e, begin, static_cast<int>(columns), (place + 1) * row_tiles);
    }
    listed += __popc(with_rows);
    rows = __shfl_sync(kAllLanes, up_to, kWarp - 1);
  }
  if (lane == 0) list[listed] = make_int4(-1, 0, 0, INT_MAX);
}

/// Writes table and logits, by the first of all blocks, and then lets the next kernel in: for that the table is settled
/// as soon as it begins. By the threads that chose, once the experts are listed.
__device__ inline void write_chosen(const ChoiceInGemm& choice, const ChoiceInGemmSpace& space, int threads) {
  const auto thread = static_cast<int>(threadIdx.x);
  const ExpertTable& table = choice.choose.table;
  const auto rows = static_cast<int>(table.row_count());
  for (int e = thread; e <= table.experts; e += threads) table.row_begin[e] = e < table.experts ? space.begin[e] : rows;
  for (int entry = thread; entry < rows; entry += threads) {
    const int token = entry / table.per_token;
    const int k = entry - token * table.per_token;
    const int expert = space.of_tokens[token].chosen[k];
    const int row = row_of_column(space.columns[expert], space.begin[expert], token);
    table.chosen[entry] = expert;
    table.weights[entry] = space.of_tokens[token].weights[k];
    table.rows[entry] = row;
    table.row_token[row] = token;
  }
  __threadfence();
  sync_threads(1, threads);
  if (thread == 0) let_next_kernel_in();
  for (int token = thread / kWarp; token < table.tokens; token += threads / kWarp) {
    choice.router.write_logits(choice.choose.logits, token, choice.router.factor(token));
  }
}

}  // namespace caravel::kernels::cuda
