#pragma once

#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/tile_walk.cuh"

namespace caravel::kernels::cuda {

/// How the L2 cache is to keep weights.
struct WeightsPolicy {
  uint64_t once = read_once_policy();
  uint64_t again = read_again_policy();

  __device__ uint64_t of(const Tile& tile) const { return tile.again ? again : once; }
};

/// By the warp that asks for weights, which are known once the table is: makes the list of experts for all.
template <bool kExperts, int kTokens>
__device__ inline void list_experts_of(const TileArgs& args, uint8_t* shared) {
  if constexpr (kExperts) {
    if (!args.experts.settled) wait_for_kernel_before();
    list_experts(args.experts, args.plan.row_tiles, kTokens, reinterpret_cast<int4*>(shared + args.plan.experts_begin));
  }
}

/// By who asks for tokens: until they are there. A kernel of experts lets the next one in no sooner, so that this finds
/// settled what was there before the kernel before: the table. A block that writes that (table_is_written: not) lets it
/// in later.
template <bool kExperts>
__device__ inline void await_tokens(const TileMaps& maps, bool table_is_written = true) {
  if (threadIdx.x % 32 == 0) prefetch_map(maps.input);
  wait_for_kernel_before();
  if (kExperts && table_is_written) let_next_kernel_in();
}

/// Some units of some groups, as units_map() has them.
template <bool kExperts>
__device__ inline void copy_units(uint32_t to, const CUtensorMap& map, int unit, int group, int expert,
                                  uint32_t barrier, uint64_t policy) {
  if constexpr (kExperts) {
    copy_box(to, map, 0, unit, group, expert, barrier, policy);
  } else {
    copy_box(to, map, 0, unit, group, barrier, policy);
  }
}
/// The same of both parts in turn, as paired_units_map() has them.
template <bool kExperts>
__device__ inline void copy_paired_units(uint32_t to, const CUtensorMap& map, int unit, int group, int expert,
                                         uint32_t barrier, uint64_t policy) {
  if constexpr (kExperts) {
    copy_box(to, map, 0, unit, 0, group, expert, barrier, policy);
  } else {
    copy_box(to, map, 0, unit, 0, group, barrier, policy);
  }
}

__device__ inline void prefetch_weight_maps(const TileArgs& args, const TileMaps& maps) {
  const int lane = threadIdx.x % 32;
  const int count = args.plan.in_turn ? 1 : static_cast<int>(PackedWeight::kMaxParts);
  if (lane < count && args.parts[lane].groups > 0) prefetch_map(maps.weights[lane]);
}

/// The warp that asks for weights of BF16, by a box for a slot: a copy for each group, of 1 KB, would take the copy
/// engine longer than memory.
template <int kTokens, bool kExperts, bool kChoice, bool kPairs>
__device__ inline void ask_for_images(const TileWalk<kExperts, kChoice, kPairs>& walk, const TileMaps& maps,
                                      const Ring& ring) {
  constexpr bool kMany = kTokens >= kManyTokens;
  const TileArgs& args = walk.args;
  const TilePlan& plan = args.plan;
  const int lane = threadIdx.x % 32;
  const int boxes = !kMany && args.paired ? 2 : 1;  // a lane each
  const int box_bytes = plan.weight_bytes / boxes;
  const WeightsPolicy policies;
  RingPlace place;
  walk.template operator()<kTokens>([&](const Tile& tile) {
    const Rows rows = rows_of_tile(args, tile.row_tile, lane < boxes ? lane : 0);
    const CUtensorMap& map = maps.weights[rows.part - args.parts];
    const uint64_t policy = policies.of(tile);
    for (int begin = 0; begin < args.blocks; begin += plan.step_blocks) {
      ring.wait_emptied(place);
      const uint32_t filled = ring.filled(place);
      const uint32_t to = ring.slot(place);
      // What a box has of places outside its matrix comes as zeros.
      if constexpr (kMany) {
        // By one lane at once: where the warp meets in between, tiles of 128 tokens take up to a tenth longer.
        if (lane == 0) {
          arrive_expecting(filled, plan.weight_bytes);
          if (plan.in_turn) {
            copy_paired_units<kExperts>(to, map, begin, rows.first_group, tile.expert, filled, policy);
          } else {
            copy_units<kExperts>(to, map, begin, rows.first_group, tile.expert, filled, policy);
          }
        }
        __syncwarp();
      } else {
        if (lane == 0) arrive_expecting(filled, plan.weight_bytes);
        __syncwarp();
        if (lane < boxes) {
          copy_units<kExperts>(to + lane * box_bytes, map, begin, rows.first_group, tile.expert, filled, policy);
        }
      }
      place.advance(ring.count);
    }
    if constexpr (kMany) {
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
template <int kTokens, bool kExperts, bool kChoice, bool kPairs>
__device__ inline void ask_for_tokens(const TileWalk<kExperts, kChoice, kPairs>& walk, const TileMaps& maps,
                                      const Ring& ring) {
  const TileArgs& args = walk.args;
  const CUtensorMap& input = maps.input;
  const TilePlan& plan = args.plan;
  const int lane = threadIdx.x % 32;
  const int block_bytes = min(kTokens, args.tokens) * 128;
  fence_for_async();
  RingPlace place;
  walk.template operator()<kTokens>([&](const Tile& tile) {
    for (int begin = 0; begin < args.blocks; begin += plan.step_blocks) {
      ring.wait_emptied(place);
      if (lane == 0) arrive_expecting(ring.filled(place), plan.step_blocks * block_bytes);
      __syncwarp();
      if constexpr (kPairs) {
        // Each block of the pair brings half of the tokens to both.
        const int half = static_cast<int>(blockIdx.x) % 2 * (kTokens / 2);
        if (lane == 0) {
          copy_box_to_both(ring.slot(place) + plan.weight_bytes + half * 128, input, begin * kBlockInputs,
                           tile.first_token + half, ring.filled(place));
        }
      } else if (lane < plan.step_blocks) {
        copy_box(ring.slot(place) + plan.weight_bytes + lane * kTokens * 128, input, (begin + lane) * kBlockInputs,
                 tile.input_row(), ring.filled(place));
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
                   rows_of_tile(args, tile.row_tile, lane).first_group * kGroupRows,
                   tile.first_token + slot * args.added_tokens, ring.filled(place));
        }
        place.advance(ring.count);
      }
    }
  });
}

}  // namespace caravel::kernels::cuda
