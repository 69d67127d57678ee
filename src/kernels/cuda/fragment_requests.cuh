#pragma once

#include "kernels/cuda/tile_requests.cuh"

namespace caravel::kernels::cuda {

/// The rings of a warpgroup's part of the inputs, or of all of them.
struct FragmentRings {
  Ring first;
  int ring_bytes;
  int barrier_bytes;

  __device__ Ring ring(int split) const {
    return {first.slots + split * ring_bytes, first.barriers + split * barrier_bytes, first.slot_bytes, first.count};
  }
};

/// Turns at which a tile's slots of weights are asked for: function(turn, split, slot) for each split's slots in order,
/// the splits side by side. `slots`: of all inputs.
template <int kSplits, typename Function>
__device__ inline void for_each_slot(int slots, Function&& function) {
  const int turns = kSplits == 1 ? slots : (slots + kSplits - 1) / kSplits;
  for (int turn = 0; turn < turns; ++turn) {
#pragma unroll
    for (int split = 0; split < kSplits; ++split) {
      const int slot = (kSplits == 1 ? 0 : part_begin(split, slots)) + turn;
      if (kSplits == 1 || slot < part_begin(split + 1, slots)) function(split, slot);
    }
  }
}

/// How often a tile's inputs are gone through: a paired tile's parts one after the other where they are split.
template <int kSplits>
__device__ inline int passes(const TileArgs& args) {
  return kSplits > 1 && args.paired ? 2 : 1;
}

/// The warp that asks for weights: a lane of it.
template <int kSplits>
__device__ inline void ask_for_sources(const TileArgs& args, const TileMaps& maps, const FragmentRings& rings) {
  const TilePlan& plan = args.plan;
  if (threadIdx.x % 32 != 0) return;
  const int slots = (args.blocks + kSourceBlocks - 1) / kSourceBlocks;
  constexpr int kBoxes = kSplits > 1 ? 1 : 2;
  const uint64_t policy = weights_policy(plan);
  RingPlace place[kSplits];
  for_each_tile(plan, [&](int row_tile, int) {
    for (int pass = 0; pass < passes<kSplits>(args); ++pass) {
      int first_group[kBoxes] = {};
      int units[kBoxes] = {};  // of a slot
      const CUtensorMap* map[kBoxes] = {};
      int bytes = 0;
#pragma unroll
      for (int w = 0; w < kBoxes; ++w) {
        if (kSplits == 1 && w >= plan.warpgroups) continue;
        const Rows rows = rows_of_tile(args, row_tile, kSplits > 1 ? pass : w);
        first_group[w] = rows.first_group;
        units[w] = kSourceBlocks / rows.part->format.unit_blocks;
        bytes += plan.groups * units[w] * rows.part->format.unit_bytes;
        map[w] = &maps.weights[rows.part - args.parts];
      }
      for_each_slot<kSplits>(slots, [&](int split, int slot) {
        const Ring ring = rings.ring(split);
        ring.wait_emptied(place[split]);
        const uint32_t barrier = ring.filled(place[split]);
        // What a box has of places outside its part comes as zeros.
        arrive_expecting(barrier, bytes);
#pragma unroll
        for (int w = 0; w < kBoxes; ++w) {
          if (kSplits == 1 && w >= plan.warpgroups) continue;
          copy_box(ring.slot(place[split]) + w * (plan.source_bytes / plan.warpgroups), *map[w], 0, slot * units[w],
                   first_group[w], barrier, policy);
        }
        place[split].advance(ring.count);
      });
    }
  });
}

/// The warp that asks for tokens: a lane of it. wide: a box has all blocks of a slot, else each is a box.
template <int kTokens, int kSplits>
__device__ inline void ask_for_split_tokens(const TileArgs& args, const CUtensorMap& input, bool wide,
                                            const FragmentRings& rings) {
  constexpr int kBlocks = token_blocks(kTokens);
  if (threadIdx.x % 32 != 0) return;
  prefetch_map(input);
  wait_for_kernel_before();
  fence_for_async();
  const int slots = (args.blocks + kSourceBlocks - 1) / kSourceBlocks;
  const uint64_t policy = read_again_policy();
  const int block_bytes = token_rows(kTokens, args.tokens) * 128;
  RingPlace place[kSplits];
  for_each_tile(args.plan, [&](int, int token_tile) {
    for (int pass = 0; pass < passes<kSplits>(args); ++pass) {
      for_each_slot<kSplits>(slots, [&](int split, int slot) {
        const Ring ring = rings.ring(split);
        for (int begin = slot * kSourceBlocks; begin < (slot + 1) * kSourceBlocks; begin += kBlocks) {
          ring.wait_emptied(place[split]);
          const uint32_t barrier = ring.filled(place[split]);
          const uint32_t to = ring.slot(place[split]);
          arrive_expecting(barrier, kBlocks * block_bytes);
          if (wide) {
            copy_box(to, input, 0, token_tile * kTokens, begin, barrier, policy);
          } else {
#pragma unroll
            for (int i = 0; i < kBlocks; ++i) {
              copy_box(to + i * block_bytes, input, (begin + i) * kBlockInputs, token_tile * kTokens, barrier);
            }
          }
          place[split].advance(ring.count);
        }
      });
    }
  });
}

}  // namespace caravel::kernels::cuda
