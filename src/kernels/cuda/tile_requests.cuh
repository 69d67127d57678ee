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
  if (lane < static_cast<int>(PackedWeight::kMaxParts) && args.parts[lane].groups > 0) prefetch_map(maps.weights[lane]);
}

/// The warp that asks for weights of BF16, by a box for a slot: a copy for each group, of 1 KB, would take the copy
/// engine longer than memory.
__device__ inline void ask_for_images(const TileArgs& args, const TileMaps& maps, const Ring& ring) {
  const TilePlan& plan = args.plan;
  const int lane = threadIdx.x % 32;
  const int boxes = args.paired ? 2 : 1;  // a lane each
  const int box_bytes = plan.weight_bytes / boxes;
  const uint64_t policy = weights_policy(plan);
  RingPlace place;
  for_each_tile(plan, [&](int row_tile, int) {
    const Rows rows = rows_of_tile(args, row_tile, lane < boxes ? lane : 0);
    const CUtensorMap& map = maps.weights[rows.part - args.parts];
    for (int begin = 0; begin < args.blocks; begin += plan.step_blocks) {
      ring.wait_emptied(place);
      // What a box has of places outside its matrix comes as zeros.
      if (lane == 0) arrive_expecting(ring.filled(place), plan.weight_bytes);
      __syncwarp();
      if (lane < boxes) {
        copy_box(ring.slot(place) + lane * box_bytes, map, 0, begin, rows.first_group, ring.filled(place), policy);
      }
      place.advance(ring.count);
    }
  });
}

/// The warp that asks for weights that are to be converted. These are few bytes a copy, so that the warp's own time is
/// what counts: one lane asks, and all that can be is worked out once for a tile.
__device__ inline void ask_for_sources(const TileArgs& args, const Ring& ring) {
  const TilePlan& plan = args.plan;
  const int blocks = plan.source_blocks;
  const int stride = plan.source_stride;
  const bool asks = threadIdx.x % 32 == 0;
  const uint64_t policy = weights_policy(plan);
  RingPlace place;
  for_each_tile(plan, [&](int row_tile, int) {
    const uint8_t* from[2] = {};
    int64_t group_bytes[2] = {};
    uint32_t slot_bytes[2] = {};  // of a group
    int groups[2] = {};
#pragma unroll
    for (int w = 0; w < 2; ++w) {
      if (w >= plan.warpgroups) continue;
      const Rows rows = rows_of_tile(args, row_tile, w);
      from[w] = rows.group(0, 0);
      group_bytes[w] = rows.part->group_bytes;
      slot_bytes[w] = blocks / rows.part->format.unit_blocks * rows.part->format.unit_bytes;
      groups[w] = rows.groups;
    }
    for (int begin = 0; begin < args.blocks; begin += blocks) {
      if (begin + blocks > args.blocks) {
#pragma unroll
        for (int w = 0; w < 2; ++w) {
          slot_bytes[w] = static_cast<uint32_t>(group_bytes[w]) - begin / blocks * slot_bytes[w];
        }
      }
      ring.wait_emptied(place);
      if (asks) {
        const uint32_t barrier = ring.filled(place);
        arrive_expecting(barrier, groups[0] * slot_bytes[0] + groups[1] * slot_bytes[1]);
        uint32_t to = ring.slot(place);
#pragma unroll
        for (int w = 0; w < 2; ++w) {
          const uint8_t* group = from[w];
          for (int i = 0; i < groups[w]; ++i) {
            copy_bulk(to + i * stride, group, slot_bytes[w], barrier, policy);
            group += group_bytes[w];
          }
          to += plan.groups * stride;
          from[w] += slot_bytes[w];
        }
      }
      __syncwarp();
      place.advance(ring.count);
    }
  });
}

/// The warp that asks for tokens: [64 inputs of a token] rows behind a slot's weights, in the same swizzle. Of a slot
/// that is multiplied as a whole, places behind the last input come as zeros; one lane asks for all of another.
template <int kTokens, bool kWholeSlots>
__device__ inline void ask_for_tokens(const TileArgs& args, const CUtensorMap& input, const Ring& ring) {
  const TilePlan& plan = args.plan;
  const int lane = threadIdx.x % 32;
  if (lane == 0) prefetch_map(input);
  wait_for_kernel_before();
  fence_for_async();
  RingPlace place;
  for_each_tile(plan, [&](int, int token_tile) {
    for (int begin = 0; begin < args.blocks; begin += plan.step_blocks) {
      const int count = kWholeSlots ? plan.step_blocks : min(plan.step_blocks, args.blocks - begin);
      ring.wait_emptied(place);
      if (lane == 0) arrive_expecting(ring.filled(place), count * kTokens * 128);
      __syncwarp();
      const auto ask = [&](int i) {
        copy_box(ring.slot(place) + plan.weight_bytes + i * kTokens * 128, input, (begin + i) * kBlockInputs,
                 token_tile * kTokens, ring.filled(place));
      };
      if constexpr (kWholeSlots) {
        if (lane < count) ask(lane);
      } else if (lane == 0) {
        for (int i = 0; i < count; ++i) ask(i);
      }
      place.advance(ring.count);
    }
  });
}

}  // namespace caravel::kernels::cuda
