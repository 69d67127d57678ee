#pragma once

#include "device/cuda/launch.cuh"
#include "kernels/cuda/fragment_requests.cuh"
#include "kernels/cuda/fragment_store.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/tile_launch.cuh"
#include "kernels/cuda/tile_store.cuh"
#include "kernels/cuda/warp_mma.cuh"
#include "kernels/cuda/weight_fragments.cuh"

// As tile_gemm.cu, of weights that are not BF16: each lane of a warpgroup makes bf16 of those that it has as rows of
// wgmma, in registers, so that shared memory moves their few bytes alone. Bytes come by rings of weights and of tokens.
//
// With few tokens it is making bf16 that takes long, so that an SM has four warpgroups, which share a tile's rows:
// each has a quarter of the inputs, with rings of its own, and two more warps add their sums up in order and store
// them (all do of 64 tokens). With many, one or two warpgroups have rows of their own and go through all inputs; they
// add up the same quarters in the same order.

namespace caravel::kernels::cuda {

/// A warp's share of a tile.
struct WarpShare {
  int groups;    // of the warpgroup
  int group[2];  // of these; which the warp's lower and upper eight rows are

  __device__ bool has(int half) const { return group[half] < groups; }
};

/// Each warp has a group before any has two. Where warpgroups share a tile's rows, each begins with another warp: a
/// warp's number says which of an SM's four parts it runs on, and all are to have as much to do.
__device__ inline WarpShare share_of(const TilePlan& plan, int split, int warp) {
  const int first = plan.splits > 1 ? warp - split & 3 : warp;
  return {plan.groups, {first, first + 4}};
}

struct Consumer {
  Ring sources;
  Ring tokens;
  const uint8_t* source_slots;  // the slots of `sources`, at the warpgroup's rows
  const uint8_t* token_slots;   // those of `tokens`
  float4* scales;               // the warp's
  int lane;
  RingPlace source;
  RingPlace token;
  int rows[kSourceBlocks];  // where in a slot of tokens the lane's row of each block lies, as multiply_add() takes rows

  /// Adds the products of some slots of weights of one type. All of the warpgroup call it.
  template <int kTokens, DType kType>
  __device__ __forceinline__ void multiply(const WarpShare& share, int slots, float (&sum)[kTokens / 2]) {
    // Code for one group and for two has no branches inside, so that loads, conversions and products overlap.
    if constexpr (kTokens <= kWarpTokens) {
      if (share.has(1)) return multiply_by_warp<kTokens, kType, 2>(share, slots, sum);
      if (share.has(0)) return multiply_by_warp<kTokens, kType, 1>(share, slots, sum);
      return skip(slots);
    } else {
      if (share.groups > 4) return multiply_by_warpgroup<kTokens, kType, 2>(share, slots, sum);
      return multiply_by_warpgroup<kTokens, kType, 1>(share, slots, sum);
    }
  }

  /// The warp's first kHalves groups of two. The other rows of its sums are not stored.
  template <int kTokens, DType kType, int kHalves>
  __device__ __forceinline__ void multiply_by_warp(const WarpShare& share, int slots, float (&sum)[kTokens / 2]) {
    constexpr LevelKind kKind = level_kind(kType);
    static_assert(token_blocks(kTokens) == kSourceBlocks);
    // What follows from it is worked out here, not before all tiles and for all types: so much has no registers.
    int here = lane;
    asm volatile("" : "+r"(here));
    for (int slot = 0; slot < slots; ++slot) {
      sources.wait_filled(source);
      const uint8_t* const bytes = source_slots + source.slot * sources.slot_bytes;
      const auto group = [&](int half) { return bytes + share.group[half] * kSlotGroupBytes<kType>; };
#pragma unroll
      for (int half = 0; half < kHalves; ++half) write_scales<kType>(group(half), half, here, scales);
      __syncwarp();
      tokens.wait_filled(token);
#pragma unroll
      for (int block = 0; block < kSourceBlocks; ++block) {
        LaneWeights<kKind> weights[kHalves];
        float4 of_block[kHalves];
#pragma unroll
        for (int half = 0; half < kHalves; ++half) {
          weights[half].load(group(half) + levels_begin<kType>(block), here);
          of_block[half] = read_scales<kKind>(scales, block, half, here);
        }
        TokenPairs pairs[kTokens / 8];
#pragma unroll
        for (int eight = 0; eight < kTokens / 8; ++eight) {
          load_tokens(token.slot, rows[block] + eight * kImageBytes, pairs[eight]);
        }
#pragma unroll
        for (int k = 0; k < 4; ++k) {
          uint32_t fragment[4] = {};
          make_fragment(weights, of_block, k, here, fragment);
#pragma unroll
          for (int eight = 0; eight < kTokens / 8; ++eight) {
            multiply_add<BFloat16>(reinterpret_cast<float(&)[4]>(sum[4 * eight]), fragment,
                                   pairs[eight][k / 2][k % 2 * 2], pairs[eight][k / 2][k % 2 * 2 + 1]);
          }
        }
      }
      release(sources, source, tokens, token);
    }
  }

  /// Of a warp that has no rows.
  __device__ __forceinline__ void skip(int slots) {
    for (int slot = 0; slot < slots; ++slot) {
      sources.wait_filled(source);
      tokens.wait_filled(token);
      release(sources, source, tokens, token);
    }
  }

  /// The same by wgmma, in which all warps take part: one that lacks a group makes the last one's rows again, which are
  /// not stored.
  template <int kTokens, DType kType, int kHalves>
  __device__ __forceinline__ void multiply_by_warpgroup(const WarpShare& share, int slots, float (&sum)[kTokens / 2]) {
    constexpr LevelKind kKind = level_kind(kType);
    constexpr int kBlocks = token_blocks(kTokens);
    constexpr bool kAhead = kTokens != 64;  // sums of 64 tokens leave no registers for it beside three other warpgroups
    // What follows from it is worked out here, not before all tiles and for all types: so much has no registers. Beside
    // sums of 64 tokens it has none from one slot to the next either.
    int here = lane;
    asm volatile("" : "+r"(here));
    for (int slot = 0; slot < slots; ++slot) {
      if constexpr (!kAhead) asm volatile("mov.u32 %0, %%laneid;" : "=r"(here));
      sources.wait_filled(source);
      const uint8_t* const bytes = source_slots + source.slot * sources.slot_bytes;
      const auto group = [&](int half) {
        return bytes + min(share.group[half], share.groups - 1) * kSlotGroupBytes<kType>;
      };
#pragma unroll
      for (int half = 0; half < kHalves; ++half) write_scales<kType>(group(half), half, here, scales);
      __syncwarp();
      LaneWeights<kKind> weights[kHalves];
      const auto load_weights = [&](int block) {
#pragma unroll
        for (int half = 0; half < kHalves; ++half) {
          weights[half].load(group(half) + levels_begin<kType>(block), here);
        }
      };
      if constexpr (kAhead) load_weights(0);
#pragma unroll(kAhead ? kSourceBlocks : 1)
      for (int block = 0; block < kSourceBlocks; ++block) {
        if constexpr (!kAhead) load_weights(block);
        float4 of_block[kHalves];
#pragma unroll
        for (int half = 0; half < kHalves; ++half) of_block[half] = read_scales<kKind>(scales, block, half, here);
        if (block % kBlocks == 0) tokens.wait_filled(token);
        const int block_begin = token.slot * tokens.slot_bytes + block % kBlocks * (kTokens * 128);
        const MatrixDescriptor image = matrix_descriptor(tokens.slots + block_begin, kImageBytes);
        Fragments fragments = {};
        // More inputs become bf16 while the tensor cores are at the first sixteen, and other warpgroups make theirs.
#pragma unroll
        for (int k = 0; k < 4; ++k) {
          make_fragment(weights, of_block, k, here, fragments[k]);
          fence_products();
          add_product<kTokens>(sum, fragments[k], image.at(32 * k));
        }
        commit_products();
        // Those of the next block are on their way meanwhile.
        if (block + 1 < kSourceBlocks) {
          if constexpr (kAhead) load_weights(block + 1);
        } else {
          release(sources, source);
        }
        wait_products<0>();
        if (block % kBlocks == kBlocks - 1) {
          __syncwarp();
          if (lane == 0) arrive(tokens.emptied(token));
          token.advance(tokens.count);
        }
      }
    }
  }

  /// Gives back slots that the warp's lanes have read.
  template <typename... RingsAndPlaces>
  __device__ void release(RingsAndPlaces&... of) const {
    fence_shared_for_async();
    __syncwarp();
    give_back(of...);
  }
  template <typename... More>
  __device__ void give_back(const Ring& ring, RingPlace& place, More&... more) const {
    if (lane == 0) arrive(ring.emptied(place));
    place.advance(ring.count);
    if constexpr (sizeof...(more) > 0) give_back(more...);
  }

  /// Eight tokens of a block of 64 inputs: of each sixteen what multiply_add() takes.
  using TokenPairs = uint32_t[2][4];
  __device__ void load_tokens(int slot, int row, TokenPairs& pairs) const {
    const int at = slot * tokens.slot_bytes + row;
    load_matrices(pairs[0], token_slots + at);
    load_matrices(pairs[1], token_slots + (at ^ 64));  // four chunks on, however the row's are swizzled
  }

  /// Before load_tokens(). `count`: of rows that lie there for a block.
  __device__ void find_rows(int count) {
#pragma unroll
    for (int block = 0; block < kSourceBlocks; ++block) {
      const int row = block * count + lane % 8;
      rows[block] = row * 128 + ((lane / 8 ^ row % 8) << 4);
    }
  }
};

/// The warpgroups that multiply.
template <int kTokens, int kSplits, bool kExperts>
__device__ __forceinline__ void multiply_fragments(const TileWalk<kExperts>& walk, uint8_t* shared,
                                                   const Ring& handover, Consumer& consumer, int warpgroup, int warp) {
  const TileArgs& args = walk.args;
  const TilePlan& plan = args.plan;
  const int slots = (args.blocks + kSourceBlocks - 1) / kSourceBlocks;
  const int lane = consumer.lane;
  const WarpShare share = share_of(plan, warpgroup, warp % 4);
  const auto multiply = [&](const TilePart& part, int count, float(&sum)[kTokens / 2]) __attribute__((always_inline)) {
#pragma unroll
    for (float& value : sum) value = 0.0F;
    // Inline, whatever the compiler thinks of so much code: a call would cost its sums' registers.
    const auto add = [&]<DType kType>() __attribute__((always_inline)) {
      consumer.multiply<kTokens, kType>(share, count, sum);
    };
    with_tile_type(part.dtype, add);
#pragma unroll
    for (float& value : sum) asm volatile("" : "+f"(value)::"memory");
  };
  if constexpr (kSplits == 1 || parts_kept(kTokens) == 1) wait_for_kernel_before();
  RingPlace place;
  walk.template operator()<kTokens>([&](const Tile& tile) __attribute__((always_inline)) {
    float sum[kTokens / 2];
    if constexpr (kSplits > 1) {
      for (int pass = 0; pass < passes<kSplits>(args); ++pass) {
        const int count = part_begin(warpgroup + 1, slots) - part_begin(warpgroup, slots);
        multiply(*rows_of_tile(args, tile.row_tile, pass).part, count, sum);
        if constexpr (parts_kept(kTokens) > 1) {
          handover.wait_emptied(place);
        } else {
          sync_threads(1, 128 * kSplits);  // the sums that were there are stored
        }
        // What follows from it is worked out here, and not kept in registers meanwhile.
        int here = lane;
        asm volatile("" : "+r"(here));
        auto* const parts = reinterpret_cast<float*>(shared + plan.parts_begin);
        const auto put = [&](float* part, bool adds) {
#pragma unroll
          for (int half = 0; half < 2; ++half) {
            float* const mine = part + share.group[half] * kGroupRows + here / 4 + here % 4 * 2 * kPartStride;
#pragma unroll
            for (int i = 0; i < kTokens / 4; ++i) {
              float& to = mine[(i / 2 * 8 + i % 2) * kPartStride];
              const float value = sum[i / 2 * 4 + 2 * half + i % 2];
              to = adds ? __fadd_rn(to, value) : value;
            }
          }
        };
        if constexpr (parts_kept(kTokens) > 1) {
          put(parts + warpgroup * kTokens * kPartStride, false);
        } else {
          for (int turn = 0; turn < kSplits; ++turn) {
            if (turn == warpgroup) put(parts, turn > 0);
            sync_threads(1, 128 * kSplits);
          }
          // Two warps would take longer for so many sums than the next tile takes, if there is one.
          int thread = static_cast<int>(threadIdx.x);
          asm volatile("" : "+r"(thread)::"memory");
          store_tile_fours<kTokens, 128 * kSplits>(
              args, stored_tile<kSplits>(args, tile, kTokens, pass), TileSums<kTokens>{parts},
              reinterpret_cast<float*>(shared + plan.staging_begin), thread, [] {});
          continue;
        }
        __syncwarp();
        if (lane == 0) arrive(handover.filled(place));
        place.advance(1);
      }
    } else {
      float total[kTokens / 2];
      const TilePart& rows_part = *rows_of_tile(args, tile.row_tile, warpgroup).part;
      for (int part = 0; part < kInputParts; ++part) {
        multiply(rows_part, part_begin(part + 1, slots) - part_begin(part, slots), sum);
#pragma unroll
        for (int i = 0; i < kTokens / 2; ++i) total[i] = part == 0 ? sum[i] : __fadd_rn(total[i], sum[i]);
      }
      if (rows_part.row_scales != nullptr) {
        const int first_row = rows_of_tile(args, tile.row_tile, warpgroup).first_group * kGroupRows + lane / 4;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const float scale = rows_part.scale_of(tile.expert, first_row + share.group[half] * kGroupRows);
#pragma unroll
          for (int i = 0; i < kTokens / 4; ++i) {
            float& of_row = total[i / 2 * 4 + 2 * half + i % 2];
            of_row = __fmul_rn(of_row, scale);
          }
        }
      }
      float* const staging = reinterpret_cast<float*>(shared + plan.staging_begin);
      TileStore<kTokens, false> store(args, tile, share.group[0], share.group[1], staging);
      store(args, total, staging);
    }
  });
}

template <int kSplits>
constexpr int kMostThreads = 128 * (kSplits == 1 ? 2 : kSplits) + 128;

template <int kTokens, int kSplits, bool kExperts>
__global__ void __launch_bounds__(kMostThreads<kSplits>, 1)
    fragment_gemm_kernel(const __grid_constant__ TileArgs args, const __grid_constant__ TileMaps maps, bool wide) {
#ifdef CARAVEL_WARPGROUPS
  extern __shared__ __align__(1024) uint8_t shared[];
  // Heads take as many registers of who stores as weights do of who multiplies.
  constexpr bool kStoresHeads = !kExperts && kTokens <= most_joined_tokens(true);
  const TilePlan& plan = args.plan;
  const uint32_t base = shared_address(shared);
  const int barrier_bytes = 16 * (plan.sources_ahead + plan.steps_ahead);
  const FragmentRings sources{
      {base + plan.source_begin, base + plan.barriers_begin, plan.source_bytes, plan.sources_ahead},
      plan.sources_ahead * plan.source_bytes,
      barrier_bytes};
  const FragmentRings tokens{
      {base, base + plan.barriers_begin + 16 * plan.sources_ahead, plan.slot_bytes, plan.steps_ahead},
      plan.steps_ahead * plan.slot_bytes,
      barrier_bytes};
  const Ring handover{0, base + plan.barriers_begin + kSplits * barrier_bytes, 0, 1};
  // The same in all lanes, which the compiler must know to let products overlap.
  const int warp = __shfl_sync(~0U, static_cast<int>(threadIdx.x / 32), 0);
  const int consumer_warps = 4 * plan.warpgroups * kSplits;
  constexpr int kRings = 2 * kSplits;
  if (threadIdx.x % 32 == 0 && warp <= 2 * kRings) {
    if (base % 1024 != 0) __trap();
    const int number = warp % kRings;
    if (warp == 2 * kRings) {
      handover.init(0, 1, consumer_warps, kStoringThreads / 32);
    } else {
      const Ring ring = number < kSplits ? sources.ring(number) : tokens.ring(number - kSplits);
      ring.init(warp / kRings, 2, 1, consumer_warps / kSplits);
    }
    fence_barrier_init();
  }
  if (warp == consumer_warps) {
    prefetch_weight_maps(args, maps);
    list_experts_of<kExperts, kTokens>(args, shared);
  }
  __syncthreads();
  if constexpr (!kExperts) let_next_kernel_in();
  const TileWalk<kExperts> walk{args, reinterpret_cast<const int4*>(shared + plan.experts_begin)};
  if (warp < consumer_warps) {
    if constexpr (!kStoresHeads) take_registers<kSplits == 1 ? 232 : 104>();
    const int split = kSplits > 1 ? warp / 4 : 0;
    const int rows = kSplits > 1 ? 0 : warp / 4;
    Consumer consumer{.sources = sources.ring(split),
                      .tokens = tokens.ring(split),
                      .source_slots = shared + plan.source_begin + split * sources.ring_bytes +
                                      rows * (plan.source_bytes / plan.warpgroups),
                      .token_slots = shared + split * tokens.ring_bytes,
                      .scales = reinterpret_cast<float4*>(shared + plan.scales_begin) + warp * kScalePlaces,
                      .lane = static_cast<int>(threadIdx.x % 32)};
    if constexpr (kTokens <= kWarpTokens) consumer.find_rows(token_rows(kTokens, args.tokens));
    multiply_fragments<kTokens, kSplits>(walk, shared, handover, consumer, warp / 4, warp);
    return;
  }
  if constexpr (!kStoresHeads) give_registers<kSplits == 1 ? 40 : 64>();
  if (warp == consumer_warps) {
    ask_for_sources<kTokens, kSplits>(walk, maps, sources);
  } else if (warp == consumer_warps + 1) {
    await_tokens<kExperts>(maps);
    ask_for_split_tokens<kTokens, kSplits>(walk, maps.input, wide, tokens);
  } else if constexpr (kSplits > 1 && parts_kept(kTokens) > 1) {
    store_parts<kTokens, kSplits>(walk, shared, handover, static_cast<int>(threadIdx.x) - 32 * (consumer_warps + 2));
  }
#endif
}

/// Rows of BF16 inputs, by boxes of `box_blocks` blocks of 64 inputs of `box_tokens` rows, or of one block.
inline CUtensorMap token_map(const GemmInput& input, int box_tokens, int box_blocks, bool wide) {
  if (!wide) {
    return tensor_map(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, CU_TENSOR_MAP_SWIZZLE_128B, input.data,
                      {input.width, input.tokens}, {2 * input.width}, {kBlockInputs, box_tokens});
  }
  return tensor_map(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, CU_TENSOR_MAP_SWIZZLE_128B, input.data,
                    {kBlockInputs, input.tokens, input.width / kBlockInputs}, {2 * input.width, 2 * kBlockInputs},
                    {kBlockInputs, box_tokens, box_blocks});
}

template <bool kExperts>
void launch_fragments(Stream& stream, const LaunchShape& shape, const TileArgs& args, const TileMaps& maps, bool wide) {
  switch (args.plan.tokens) {
    case 8:
      return launch(stream, shape, fragment_gemm_kernel<8, kInputParts, kExperts>, args, maps, wide);
    case 16:
      return launch(stream, shape, fragment_gemm_kernel<16, kInputParts, kExperts>, args, maps, wide);
    case 32:
      return launch(stream, shape, fragment_gemm_kernel<32, kInputParts, kExperts>, args, maps, wide);
    case 64:
      if (args.plan.splits == 1) return launch(stream, shape, fragment_gemm_kernel<64, 1, kExperts>, args, maps, wide);
      return launch(stream, shape, fragment_gemm_kernel<64, kInputParts, kExperts>, args, maps, wide);
    default:
      return launch(stream, shape, fragment_gemm_kernel<128, 1, kExperts>, args, maps, wide);
  }
}

template <bool kExperts>
void enqueue_fragments(Stream& stream, const GemmTask& task) {
  const TileLaunch tiles = tile_launch(stream, task);
  const TileArgs& args = tiles.args;
  const bool wide = task.input.width % kBlockInputs == 0;
  TileMaps maps = {.input =
                       token_map(task.input, token_rows(args.plan.tokens, args.tokens), args.plan.step_blocks, wide)};
  for (size_t i = 0; i < task.weight->parts().size(); ++i) {
    maps.weights[i] = units_map(args, i, kSourceBlocks / args.parts[i].format.unit_blocks, args.plan.groups);
  }
  launch_fragments<kExperts>(stream, tiles.shape, args, maps, wide);
}

}  // namespace caravel::kernels::cuda
