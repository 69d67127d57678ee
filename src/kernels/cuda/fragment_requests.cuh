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
template <int kTokens, int kSplits, bool kExperts>
__device__ inline void ask_for_sources(const TileWalk<kExperts>& walk, const TileMaps& maps,
                                       const FragmentRings& rings) {
  const TileArgs& args = walk.args;
  const TilePlan& plan = args.plan;
  if (threadIdx.x % 32 != 0) return;
  const int slots = (args.blocks + kSourceBlocks - 1) / kSourceBlocks;
  constexpr int kBoxes = kSplits > 1 ? 1 : 2;
  const WeightsPolicy policies;
  RingPlace place[kSplits];
  walk.template alone<kTokens>([&](const Tile& tile) {
    const uint64_t policy = policies.of(tile);
    for (int pass = 0; pass < passes<kSplits>(args); ++pass) {
      int first_group[kBoxes] = {};
      int units[kBoxes] = {};  // of a slot
      const CUtensorMap* map[kBoxes] = {};
      int bytes = 0;
#pragma unroll
      for (int w = 0; w < kBoxes; ++w) {
        if (kSplits == 1 && w >= plan.warpgroups) continue;
        const Rows rows = rows_of_tile(args, tile.row_tile, kSplits > 1 ? pass : w);
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
          copy_units<kExperts>(ring.slot(place[split]) + w * (plan.source_bytes / plan.warpgroups), *map[w],
                               slot * units[w], first_group[w], tile.expert, barrier, policy);
        }
        place[split].advance(ring.count);
      });
    }
  });
}

/// The warp that asks for tokens: a lane of it. wide: a box has all blocks of a slot, else each is a box.
template <int kTokens, int kSplits, bool kExperts>
__device__ inline void ask_for_split_tokens(const TileWalk<kExperts>& walk, const CUtensorMap& input, bool wide,
                                            const FragmentRings& rings) {
  constexpr int kBlocks = token_blocks(kTokens);
  const TileArgs& args = walk.args;
  if (threadIdx.x % 32 != 0) return;
  fence_for_async();
  const int slots = (args.blocks + kSourceBlocks - 1) / kSourceBlocks;
  const uint64_t policy = read_again_policy();
  const int block_bytes = token_rows(kTokens, args.tokens) * 128;
  RingPlace place[kSplits];
  walk.template alone<kTokens>([&](const Tile& tile) {
    for (int pass = 0; pass < passes<kSplits>(args); ++pass) {
      for_each_slot<kSplits>(slots, [&](int split, int slot) {
        const Ring ring = rings.ring(split);
        for (int begin = slot * kSourceBlocks; begin < (slot + 1) * kSourceBlocks; begin += kBlocks) {
          ring.wait_emptied(place[split]);
          const uint32_t barrier = ring.filled(place[split]);
          const uint32_t to = ring.slot(place[split]);
          arrive_expecting(barrier, kBlocks * block_bytes);
          if (wide) {
            copy_box(to, input, 0, tile.first_token, begin, barrier, policy);
          } else {
#pragma unroll
            for (int i = 0; i < kBlocks; ++i) {
              copy_box(to + i * block_bytes, input, (begin + i) * kBlockInputs, tile.first_token, barrier);
            }
          }
          place[split].advance(ring.count);
        }
      });
    }
  });
}

}  // namespace caravel::kernels::cuda
