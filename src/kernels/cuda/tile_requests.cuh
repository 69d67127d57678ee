#pragma once

#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/tile_args.cuh"
#include "kernels/cuda/tile_ring.cuh"

namespace caravel::kernels::cuda {

__device__ inline uint64_t weights_policy(const TilePlan& plan) {
  return plan.token_tiles == 1 ? read_once_policy() : read_again_policy();
}

__device__ inline void prefetch_weight_maps(const TileArgs& args, const TileMaps& maps) {
  const int lane = threadIdx.x % 32;
  const int count = args.plan.in_turn ? 1 : static_cast<int>(PackedWeight::kMaxParts);
  if (lane < count && args.parts[lane].groups > 0) prefetch_map(maps.weights[lane]);
}

/// The warp that asks for weights of BF16, by a box for a slot: a copy for each group, of 1 KB, would take the copy
/// engine longer than memory.
template <int kTokens>
__device__ inline void ask_for_images(const TileArgs& args, const TileMaps& maps, const Ring& ring) {
  constexpr bool kMany = kTokens >= kManyTokens;
  const TilePlan& plan = args.plan;
  const int lane = threadIdx.x % 32;
  const int boxes = !kMany && args.paired ? 2 : 1;  // a lane each
  const int box_bytes = plan.weight_bytes / boxes;
  const uint64_t policy = weights_policy(plan);
  RingPlace place;
  for_each_tile(plan, [&](int row_tile, int) {
    const Rows rows = rows_of_tile(args, row_tile, lane < boxes ? lane : 0);
    const CUtensorMap& map = maps.weights[rows.part - args.parts];
    for (int begin = 0; begin < args.blocks; begin += plan.step_blocks) {
      ring.wait_emptied(place);
      const uint32_t filled = ring.filled(place);
      // What a box has of places outside its matrix comes as zeros.
      if constexpr (kMany) {
        // By one lane at once: where the warp meets in between, tiles of 128 tokens take up to a tenth longer.
        if (lane == 0) {
          arrive_expecting(filled, plan.weight_bytes);
          if (plan.in_turn) {
            copy_box(ring.slot(place), map, 0, begin, 0, rows.first_group, filled, policy);
          } else {
            copy_box(ring.slot(place), map, 0, begin, rows.first_group, filled, policy);
          }
        }
        __syncwarp();
      } else {
        if (lane == 0) arrive_expecting(filled, plan.weight_bytes);
        __syncwarp();
        if (lane < boxes) {
          copy_box(ring.slot(place) + lane * box_bytes, map, 0, begin, rows.first_group, filled, policy);
        }
      }
      place.advance(ring.count);
    }
    if constexpr (kTokens >= kManyTokens) {
      for (int slot = 0; slot < args.added_slots; ++slot) {
        ring.wait_emptied(place);
        if (lane == 0) arrive(ring.filled(place));
        place.advance(ring.count);
      }
    }
  });
}

/// The warp that asks for tokens: [64 inputs of a token] rows behind a slot's weights, in the same swizzle. Places
/// behind the last input come as zeros. And for what a tile's sums are added to: [token, row] of each warpgroup.
template <int kTokens>
__device__ inline void ask_for_tokens(const TileArgs& args, const TileMaps& maps, const Ring& ring) {
  const CUtensorMap& input = maps.input;
  const TilePlan& plan = args.plan;
  const int lane = threadIdx.x % 32;
  if (lane == 0) prefetch_map(input);
  wait_for_kernel_before();
  fence_for_async();
  RingPlace place;
  for_each_tile(plan, [&](int row_tile, int token_tile) {
    for (int begin = 0; begin < args.blocks; begin += plan.step_blocks) {
      ring.wait_emptied(place);
      if (lane == 0) arrive_expecting(ring.filled(place), plan.step_blocks * kTokens * 128);
      __syncwarp();
      if (lane < plan.step_blocks) {
        copy_box(ring.slot(place) + plan.weight_bytes + lane * kTokens * 128, input, (begin + lane) * kBlockInputs,
                 token_tile * kTokens, ring.filled(place));
      }
      place.advance(ring.count);
    }
    if constexpr (kTokens >= kManyTokens) {
      for (int slot = 0; slot < args.added_slots; ++slot) {
        const int box_bytes = plan.groups * kGroupRows * args.added_tokens * 4;
        ring.wait_emptied(place);
        if (lane == 0) arrive_expecting(ring.filled(place), plan.warpgroups * box_bytes);
        __syncwarp();
        if (lane < plan.warpgroups) {
          copy_box(ring.slot(place) + lane * box_bytes, maps.added,
                   rows_of_tile(args, row_tile, lane).first_group * kGroupRows,
                   token_tile * kTokens + slot * args.added_tokens, ring.filled(place));
        }
        place.advance(ring.count);
      }
    }
  });
}

}  // namespace caravel::kernels::cuda
