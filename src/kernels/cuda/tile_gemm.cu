#include <type_traits>

#include "device/cuda/launch.cuh"
#include "kernels/cuda/choice_in_gemm.cuh"
#include "kernels/cuda/cluster.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/tensor_map.h"
#include "kernels/cuda/tile_launch.cuh"
#include "kernels/cuda/tile_requests.cuh"
#include "kernels/cuda/tile_store.cuh"
#include "kernels/cuda/warpgroup_store.cuh"

// Weights of BF16 are the 64 rows of wgmma and tokens its columns, so that a step of one token wastes no product that
// memory would wait for. A block of threads per SM walks over tiles. Its warps have roles, which meet at the slots of a
// ring in shared memory:
//   weights    one warp asks for weights, ahead of everything: they never change, so it waits for no kernel before;
//   tokens     one warp asks for the inputs, once the kernel before is done;
//   consumers  one or two warpgroups multiply, each rows of its own, and store.
// A sum is made by one accumulator, over the inputs in order: the same bits in every tile and beside every other token.
//
// Tiles of 256 of many tokens are made by blocks in pairs, which share what comes of the tokens: where power is the
// bound, it is what is moved that counts.
//
// Of experts' matrices, tiles are known once the table is: then every block lists those experts that have rows. Of few
// tokens it first chooses experts itself (choice_in_gemm.cuh).

namespace caravel::kernels::cuda {
namespace {

/// The warpgroups that multiply, each by its number.
template <int kTokens, bool kExperts, bool kChoice, bool kPairs>
__device__ void multiply(const TileWalk<kExperts, kChoice, kPairs>& walk, const Ring& ring, int warpgroup,
                         uint8_t* shared) {
  constexpr int kUnit = unit_blocks(kTokens);
  const TileArgs& args = walk.args;
  const TilePlan& plan = args.plan;
  const int lane = threadIdx.x % 32;
  const uint32_t group_stride = plan.step_blocks * kImageBytes;
  const int first_group = warpgroup * (plan.in_turn ? 2 * kGroupPairs : plan.groups);
  const MatrixDescriptor all_weights = matrix_descriptor(ring.slots + first_group * group_stride, group_stride);
  const MatrixDescriptor all_tokens = matrix_descriptor(ring.slots + plan.weight_bytes, kImageBytes);
  const MatrixDescriptor first_weights = {uniform(all_weights.low), uniform(all_weights.high)};
  const MatrixDescriptor first_tokens = {uniform(all_tokens.low), all_tokens.high};
  wait_for_kernel_before();
  const auto release = [&](const RingPlace& place) {
    __syncwarp();
    if constexpr (kPairs) {
      if (lane < 2) arrive_in_cluster(address_of_block(ring.emptied(place), lane));
    } else {
      if (lane == 0) arrive(ring.emptied(place));
    }
  };
  RingPlace place;
  bool is_filled = false;
  int turn = 0;
  constexpr bool kMany = kTokens >= kManyTokens;
  auto* staging = reinterpret_cast<float*>(shared + plan.staging_begin);
  if constexpr (kMany) staging += warpgroup * WarpgroupStore<kTokens>::kStagingFloats;
  walk.template operator()<kTokens>([&](const Tile& tile) {
    float sum[kTokens / 2];
#pragma unroll
    for (float& value : sum) value = 0.0F;
    auto store = [&] {
      if constexpr (kMany) {
        return WarpgroupStore<kTokens>(args, tile, warpgroup, staging, turn);
      } else {
        return TileStore<kTokens, true>(args, tile, staging);
      }
    }();
    turn ^= 1;
    RingPlace before;
    int block = 0;
    do {
      if (!is_filled) ring.wait_filled(place);
      MatrixDescriptor weights = first_weights;
      MatrixDescriptor tokens = first_tokens;
      weights.low += place.slot * (ring.slot_bytes / 16);
      tokens.low += place.slot * (ring.slot_bytes / 16);
      fence_products();
#pragma unroll
      for (int unit = 0; unit < kUnit; ++unit) {
#pragma unroll
        for (int k = 0; k < 4; ++k) {  // 16 inputs are 32 bytes
          add_product<kTokens>(sum, weights.at(kImageBytes * unit + 32 * k), tokens.at(kTokens * 128 * unit + 32 * k));
        }
      }
      commit_products();
      RingPlace next = place;
      next.advance(ring.count);
      is_filled = ring.is_filled(next);
      wait_products<1>();
      // Only now is all done that read the slot before.
      if (block > 0) release(before);
      before = place;
      place = next;
      block += kUnit;
    } while (block < args.blocks);
    wait_products<0>();
    release(before);
#pragma unroll
    for (float& value : sum) asm volatile("" : "+f"(value)::"memory");
    if constexpr (kMany) {
      if (args.added_slots > 0) {
        const int box_floats = plan.groups * kGroupRows * args.added_tokens;
        store.add_and_store(
            args, sum,
            [&] {
              ring.wait_filled(place);
              return reinterpret_cast<const float*>(shared + place.slot * ring.slot_bytes) + warpgroup * box_floats;
            },
            [&] {
              fence_shared_for_async();
              release(place);
              place.advance(ring.count);
            });
        is_filled = false;
        return;
      }
      store(args, sum);
    } else {
      store(args, sum, staging);
    }
  });
}

constexpr int kAllThreads = 3;  // a barrier's number; the first are the warpgroups'
template <int kTokens>
constexpr int kAskingThreads = asking_threads(kTokens);
/// Warps that ask leave most of their registers to those that multiply.
template <int kTokens>
constexpr bool kSharesRegisters = kAskingThreads<kTokens> == 128;

/// Where experts are chosen, if any are.
struct ChosenBefore {};
template <int kEach>
struct ChosenHere : ChoiceInGemm {};
template <int kEach>
__device__ void choose_columns_of(const ChosenHere<kEach>& choice, ChoiceInGemmSpace& space, int threads) {
  choose_columns<kEach>(choice, space, threads);
}

template <int kTokens, bool kExperts, typename Choice, bool kPairs = false>
__global__ void __launch_bounds__(256 + kAskingThreads<kTokens>, 1)
    tile_gemm_kernel(const __grid_constant__ TileArgs args, const __grid_constant__ TileMaps maps,
                     const __grid_constant__ Choice choice) {
#ifdef CARAVEL_WARPGROUPS
  extern __shared__ __align__(1024) uint8_t shared[];
  const TilePlan& plan = args.plan;
  const uint32_t base = shared_address(shared);
  const Ring ring{uniform(base), uniform(base + plan.barriers_begin), static_cast<int>(uniform(plan.slot_bytes)),
                  static_cast<int>(uniform(plan.steps_ahead))};
  // The same in all lanes, which the compiler must know to let products overlap.
  const int warp = __shfl_sync(~0U, static_cast<int>(threadIdx.x / 32), 0);
  const int consumer_warps = 4 * plan.warpgroups;
  const bool asks_weights = warp == consumer_warps;
  constexpr bool kChooses = !std::is_same_v<Choice, ChosenBefore>;
  // Sums are staged there later.
  [[maybe_unused]] auto& space = *reinterpret_cast<ChoiceInGemmSpace*>(shared + plan.staging_begin);
  if (asks_weights) {
    // The first that needs them goes on at once.
    if (base % 1024 != 0) __trap();
    prefetch_weight_maps(args, maps);
    // Filled by the warp for tokens, and by that for weights.
    ring.init(static_cast<int>(threadIdx.x % 32), 32, 2, (kPairs ? 2 : 1) * consumer_warps);
    fence_barrier_init();
    if constexpr (kChooses) {
      sync_threads(kAllThreads, static_cast<int>(blockDim.x));
      list_chosen(args.experts.count, plan.row_tiles, space, reinterpret_cast<int4*>(shared + plan.experts_begin));
    } else {
      list_experts_of<kExperts, kTokens>(args, shared);
    }
    __syncwarp();
    arrive_at_threads(kAllThreads, static_cast<int>(blockDim.x));
  } else {
    if constexpr (kChooses) {
      if (warp < consumer_warps) choose_columns_of(choice, space, 32 * consumer_warps);
      sync_threads(kAllThreads, static_cast<int>(blockDim.x));
    }
    sync_threads(kAllThreads, static_cast<int>(blockDim.x));
  }
  if constexpr (!kExperts) let_next_kernel_in();
  if constexpr (kPairs) {
    // The other block's barriers are there.
    __syncwarp();
    arrive_at_cluster();
    wait_for_cluster();
  }
  const TileWalk<kExperts, kChooses, kPairs> walk{args, reinterpret_cast<const int4*>(shared + plan.experts_begin)};
  if (warp < consumer_warps) {
    if constexpr (kSharesRegisters<kTokens>) take_registers<232>();
    if constexpr (kChooses) {
      if (blockIdx.x == 0) write_chosen(choice, space, 32 * consumer_warps);
    }
    multiply<kTokens>(walk, ring, warp / 4, shared);
  } else {
    if constexpr (kSharesRegisters<kTokens>) give_registers<40>();
    if (asks_weights) {
      ask_for_images<kTokens>(walk, maps, ring);
    } else if (warp == consumer_warps + 1) {
      await_tokens<kExperts>(maps, !kChooses || blockIdx.x > 0);
      ask_for_tokens<kTokens>(walk, maps, ring);
    }
  }
  if constexpr (kPairs) {
    // Nothing comes to a block that is gone.
    __syncwarp();
    arrive_at_cluster();
    wait_for_cluster();
  }
#endif
}

/// Rows of BF16 inputs, by boxes of 64 inputs of `box_tokens` rows.
CUtensorMap input_map(const GemmInput& input, int box_tokens) {
  return tensor_map(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, CU_TENSOR_MAP_SWIZZLE_128B, input.data,
                    {input.width, input.tokens}, {2 * input.width}, {kBlockInputs, box_tokens});
}

/// Gate and up, by boxes of a slot's blocks of `box_groups` groups of the one and of the other, which come in turn: so
/// lanes that sum up a row of gate have the same row of up eight rows on.
CUtensorMap paired_units_map(const TileArgs& args, int box_groups) {
  constexpr int kWords = kImageBytes / 8;
  const TilePart& gate = args.parts[0];
  const int64_t apart = args.parts[1].data - gate.data;
  return stack_map(args.experts.count, gate,
                   {.sizes = {kWords, gate.group_bytes / kImageBytes, 2, gate.groups},
                    .strides = {kImageBytes, apart, gate.group_bytes},
                    .box = {kWords, args.plan.step_blocks, 2, box_groups}});
}

template <int kTokens, bool kExperts>
void launch_tiles(Stream& stream, const LaunchShape& shape, const TileArgs& args, const TileMaps& maps) {
  launch(stream, shape, tile_gemm_kernel<kTokens, kExperts, ChosenBefore>, args, maps, ChosenBefore{});
}

template <int kEach>
void launch_choosing(Stream& stream, const LaunchShape& shape, const TileArgs& args, const TileMaps& maps,
                     const ChoiceInGemm& choice) {
  launch(stream, shape, tile_gemm_kernel<kMostTokensChosen, true, ChosenHere<kEach>>, args, maps,
         ChosenHere<kEach>{choice});
}

template <bool kExperts>
void launch_tiles(Stream& stream, const LaunchShape& shape, const TileArgs& args, const TileMaps& maps) {
  switch (args.plan.tokens) {
    case 8:
      return launch_tiles<8, kExperts>(stream, shape, args, maps);
    case 16:
      return launch_tiles<16, kExperts>(stream, shape, args, maps);
    case 32:
      return launch_tiles<32, kExperts>(stream, shape, args, maps);
    case 64:
      return launch_tiles<64, kExperts>(stream, shape, args, maps);
    case 128:
      return launch_tiles<128, kExperts>(stream, shape, args, maps);
    case 96:
      if constexpr (!kExperts) return launch_tiles<96, false>(stream, shape, args, maps);
      break;
    case 192:
      if constexpr (!kExperts) return launch_tiles<192, false>(stream, shape, args, maps);
      break;
    case 256:
      if constexpr (!kExperts) {
        if (shape.cluster.x == 2) {
          return launch(stream, shape, tile_gemm_kernel<256, false, ChosenBefore, true>, args, maps, ChosenBefore{});
        }
      }
      return launch_tiles<256, kExperts>(stream, shape, args, maps);
  }
}

/// Whether blocks make tiles in pairs.
bool takes_pairs(const TileArgs& args, unsigned blocks) {
  constexpr int kLeastTokens = 1024;
  return args.plan.tokens == 256 && args.tokens >= kLeastTokens && args.experts.count == 0 &&
         args.plan.row_tiles % 2 == 0 && blocks % 2 == 0;
}

/// Where what a tile's sums are added to can come by boxes of the ring's slots.
void ask_ahead_for_added(TileArgs& args, TileMaps& maps, const GemmTask& task) {
  const TilePlan& plan = args.plan;
  const GemmOutput& output = args.output;
  const uintptr_t place = reinterpret_cast<uintptr_t>(output.out) | static_cast<uintptr_t>(output.stride) * 4;
  if (plan.tokens < kManyTokens || !output.accumulate || output.bf16 || task.weight->parts().size() > 1) return;
  if (place % 16 != 0 || args.parts[0].order.head != 0) return;
  const int rows = plan.groups * kGroupRows;
  const int most = plan.slot_bytes / (plan.warpgroups * rows * 4);
  args.added_tokens = std::min(most / kStagedTokens * kStagedTokens, plan.tokens);
  if (args.added_tokens == 0) return;
  args.added_slots = (plan.tokens + args.added_tokens - 1) / args.added_tokens;
  maps.added = tensor_map(CU_TENSOR_MAP_DATA_TYPE_FLOAT32, CU_TENSOR_MAP_SWIZZLE_NONE, output.out,
                          {task.out.width, args.tokens}, {output.stride * 4}, {rows, args.added_tokens});
}

}  // namespace

void tile_gemm(Stream& stream, const GemmTask& task) {
  TileLaunch tiles = tile_launch(stream, task);
  TileArgs& args = tiles.args;
  const bool pairs = takes_pairs(args, tiles.shape.grid.x);
  if (pairs) tiles.shape.cluster = dim3(2);
  TileMaps maps = {.input = input_map(task.input, std::min(args.plan.tokens, args.tokens) / (pairs ? 2 : 1))};
  const int box_groups = args.plan.groups * (args.paired ? 1 : args.plan.warpgroups);
  if (args.plan.in_turn) {
    maps.weights[0] = paired_units_map(args, box_groups);
  } else {
    for (size_t i = 0; i < task.weight->parts().size(); ++i) {
      maps.weights[i] = units_map(args, i, args.plan.step_blocks, box_groups);
    }
  }
  ask_ahead_for_added(args, maps, task);
  if (task.choice != nullptr) {
    CARAVEL_CHECK_EQ(args.plan.tokens, kMostTokensChosen);
    CARAVEL_CHECK_LE(sizeof(ChoiceInGemmSpace),
                     static_cast<size_t>(args.plan.barriers_begin - args.plan.staging_begin));
    (args.experts.count <= 4 * kWarp ? launch_choosing<4> : launch_choosing<8>)(stream, tiles.shape, args, maps,
                                                                                *task.choice);
  } else if (task.table != nullptr) {
    launch_tiles<true>(stream, tiles.shape, args, maps);
  } else {
    launch_tiles<false>(stream, tiles.shape, args, maps);
  }
}

}  // namespace caravel::kernels::cuda
