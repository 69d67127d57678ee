#pragma once

#include "kernels/cuda/expert_list.cuh"
#include "kernels/cuda/tile_args.cuh"
#include "kernels/cuda/tile_ring.cuh"

namespace caravel::kernels::cuda {

/// What a block of threads makes at a time: some rows of a matrix for some tokens, which are rows of inputs and
/// outputs.
struct Tile {
  int row_tile = 0;
  int first_token = 0;
  int end_token = 0;   // of the matrix', which may be fewer than a tile has from there on
  int expert = 0;      // whose matrix it is; 0 where there is one
  bool again = false;  // other tiles have the same rows
  // Of a choice in the GEMM: which of all tokens are the expert's, and have rows from first_token on; else 0.
  uint32_t columns = 0;

  /// Which row of outputs the tile's token `t` is; -1: none.
  __device__ int output_row(int t) const {
    if (columns != 0) return (columns >> t & 1U) != 0 ? first_token + __popc(columns & ((1U << t) - 1)) : -1;
    return first_token + t < end_token ? first_token + t : -1;
  }
  __device__ int input_row() const { return columns != 0 ? 0 : first_token; }
};

/// The `index`-th of a weight's tiles of so many tokens, of all its rows, for kernels whose blocks have one each;
/// behind the last one it has no tokens. By all lanes of a warp, for whom it is the same.
__device__ inline Tile token_tile(const ExpertRows& experts, int tokens, int index, int tile_tokens) {
  if (experts.row_begin == nullptr) return {.first_token = index * tile_tokens, .end_token = tokens};
  const int lane = static_cast<int>(threadIdx.x) % 32;
  for (int first = 0; first < experts.count; first += 32) {
    const bool there = first + lane < experts.count;
    const int begin = there ? __ldcg(experts.row_begin + first + lane) : 0;
    const int end = there ? __ldcg(experts.row_begin + first + lane + 1) : 0;
    const int tiles = token_tiles_of(begin, end, tile_tokens);
    const int end_tile = sum_of_lanes_to(tiles);
    const unsigned behind = __ballot_sync(~0U, end_tile > index);
    if (behind == 0) {
      index -= __shfl_sync(~0U, end_tile, 31);
      continue;
    }
    const int has_it = __ffs(static_cast<int>(behind)) - 1;
    const int of_expert = index - __shfl_sync(~0U, end_tile - tiles, has_it);
    return {.first_token = __shfl_sync(~0U, begin, has_it) + of_expert * tile_tokens,
            .end_token = __shfl_sync(~0U, end, has_it),
            .expert = first + has_it};
  }
  return {};
}

/// Goes through a block's tiles, which the warps that share them do each by themselves. Tiles of the same rows are
/// neighbours in time.
/// kChoice: the list is of list_chosen(). kPairs: two blocks in turn have neighbouring rows, for the same tokens.
template <bool kExperts, bool kChoice = false, bool kPairs = false>
struct TileWalk {
  const TileArgs& args;
  const int4* experts = nullptr;  // list_experts(), in shared memory

  /// function(const Tile&) for each tile of the block, by all lanes of a warp, for whom it is the same.
  template <int kTokens, typename Function>
  __device__ __forceinline__ void operator()(Function&& function) const {
    walk<kTokens>([](int value) { return static_cast<int>(uniform(static_cast<uint32_t>(value))); }, function);
  }
  /// The same by one lane.
  template <int kTokens, typename Function>
  __device__ void alone(Function&& function) const {
    walk<kTokens>([](int value) { return value; }, function);
  }

 private:
  template <int kTokens, typename Same, typename Function>
  __device__ __forceinline__ void walk(const Same& same, Function&& function) const {
    const TilePlan& plan = args.plan;
    if constexpr (!kExperts) {
      constexpr int kSharers = kPairs ? 2 : 1;
      const int sharer = static_cast<int>(blockIdx.x) % kSharers;
      const int row_tiles = plan.row_tiles / kSharers;
      const int step = static_cast<int>(gridDim.x) / kSharers;
      for (int tile = static_cast<int>(blockIdx.x) / kSharers; tile < row_tiles * plan.token_tiles; tile += step) {
        // Bands of tokens are few enough for the L2 cache to keep their inputs.
        constexpr int kBand = kTokens >= kManyTokens ? 2048 / kTokens : 1 << 20;
        const int first = kTokens >= kManyTokens ? tile / (kBand * row_tiles) * kBand : 0;
        const int width = min(kBand, plan.token_tiles - first);
        const int of_band = tile - first * row_tiles;
        function(Tile{.row_tile = of_band / width * kSharers + sharer,
                      .first_token = (first + of_band % width) * kTokens,
                      .end_token = args.tokens,
                      .expert = 0,
                      .again = plan.token_tiles > 1});
      }
    } else {
      int place = 0;
      for (int tile = static_cast<int>(blockIdx.x);; tile += static_cast<int>(gridDim.x)) {
        ListedExpert listed = listed_expert(experts, place);
        while (tile >= same(listed.end_tile)) listed = listed_expert(experts, ++place);
        const int expert = same(listed.expert);
        if (expert < 0) return;
        const int begin = same(listed.begin);
        const int end = same(listed.end);
        if constexpr (kChoice) {
          function(Tile{.row_tile = tile - (same(listed.end_tile) - plan.row_tiles),
                        .first_token = begin,
                        .end_token = args.tokens,
                        .expert = expert,
                        .columns = static_cast<uint32_t>(end)});
          continue;
        }
        const int token_tiles = token_tiles_of(begin, end, kTokens);
        const int of_expert = tile - (same(listed.end_tile) - token_tiles * plan.row_tiles);
        function(Tile{.row_tile = of_expert / token_tiles,
                      .first_token = begin + of_expert % token_tiles * kTokens,
                      .end_token = end,
                      .expert = expert,
                      .again = token_tiles > 1});
      }
    }
  }
};

}  // namespace caravel::kernels::cuda
