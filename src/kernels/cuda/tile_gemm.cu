#include <algorithm>

#include "base/check.h"
#include "device/cuda/cuda_device.h"
#include "device/cuda/launch.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/tensor_map.h"
#include "kernels/cuda/tile_converters.cuh"
#include "kernels/cuda/tile_requests.cuh"
#include "kernels/cuda/tile_store.cuh"

// Weights are the 64 rows of wgmma and tokens its columns, so that a step of one token wastes no product that memory
// would wait for. A block of threads per SM walks over tiles. Its warps have roles, which meet at the slots of rings in
// shared memory:
//   weights    one warp asks for weights, ahead of everything: they never change, so it waits for no kernel before;
//   converters where weights are not BF16: warps that make bf16 images of them;
//   tokens     one warp asks for the inputs, once the kernel before is done;
//   consumers  one or two warpgroups multiply, each rows of its own, and store.
// A sum is made by one accumulator, over the inputs in order: the same bits in every tile and beside every other token.

namespace caravel::kernels::cuda {
namespace {

template <int kTokens, bool kConverts>
constexpr int kUnitBlocks = kConverts ? 1 : unit_blocks(kTokens);

/// The warpgroups that multiply, each by its number.
template <int kTokens, bool kConverts>
__device__ void multiply(const TileArgs& args, const Ring& ring, int warpgroup, float* staging) {
  constexpr int kUnit = kUnitBlocks<kTokens, kConverts>;
  const TilePlan& plan = args.plan;
  const int lane = threadIdx.x % 32;
  const uint32_t group_stride = plan.step_blocks * kImageBytes;
  const MatrixDescriptor all_weights =
      matrix_descriptor(ring.slots + warpgroup * plan.groups * group_stride, group_stride);
  const MatrixDescriptor all_tokens = matrix_descriptor(ring.slots + plan.weight_bytes, kImageBytes);
  const MatrixDescriptor first_weights = {uniform(all_weights.low), uniform(all_weights.high)};
  const MatrixDescriptor first_tokens = {uniform(all_tokens.low), all_tokens.high};
  wait_for_kernel_before();
  const auto release = [&](const RingPlace& place) {
    __syncwarp();
    if (lane == 0) arrive(ring.emptied(place));
  };
  RingPlace place;
  bool is_filled = false;
  for_each_tile(plan, [&](int row_tile, int token_tile) {
    RowScales scales;
    if constexpr (kConverts) scales.read(rows_of_tile(args, row_tile, warpgroup));
    float sum[kTokens / 2];
#pragma unroll
    for (float& value : sum) value = 0.0F;
    TileStore<kTokens, !kConverts> store(args, row_tile, token_tile, staging);
    RingPlace before;
    int left = 0;  // blocks of the slot that are to come
    MatrixDescriptor weights = first_weights;
    MatrixDescriptor tokens = first_tokens;
    int block = 0;
    do {
      const bool enters = !kConverts || left == 0;
      if (enters) {
        left = plan.step_blocks;
        if (!is_filled) ring.wait_filled(place);
        weights.low = first_weights.low + place.slot * (ring.slot_bytes / 16);
        tokens.low = first_tokens.low + place.slot * (ring.slot_bytes / 16);
      }
      left -= kUnit;
      fence_products();
#pragma unroll
      for (int unit = 0; unit < kUnit; ++unit) {
#pragma unroll
        for (int k = 0; k < 4; ++k) {  // 16 inputs are 32 bytes
          add_product<kTokens>(sum, weights.at(kImageBytes * unit + 32 * k), tokens.at(kTokens * 128 * unit + 32 * k));
        }
      }
      commit_products();
      weights.low += kUnit * kImageBytes / 16;
      tokens.low += kUnit * kTokens * 128 / 16;
      RingPlace next = place;
      if (enters) {
        next.advance(ring.count);
        if constexpr (!kConverts) is_filled = ring.is_filled(next);
      }
      wait_products<1>();
      if (enters) {
        // Only now is all done that read the slot before.
        if (block > 0) release(before);
        before = place;
        place = next;
      }
      block += kUnit;
    } while (block < args.blocks);
    wait_products<0>();
    release(before);
#pragma unroll
    for (float& value : sum) asm volatile("" : "+f"(value)::"memory");
    if constexpr (kConverts) scales.multiply(sum);
    store(args, sum, staging);
  });
}

template <int kTokens>
constexpr int kConverterWarps = converter_warps(kTokens);
constexpr int kAllThreads = 2;  // a barrier's number; the first is the consumers'
template <int kTokens>
constexpr int kAskingThreads = asking_threads(kTokens);
/// Warps that ask leave most of their registers to those that multiply.
template <int kTokens>
constexpr bool kSharesRegisters = kAskingThreads<kTokens> == 128;

template <int kTokens, bool kConverts>
__global__ void __launch_bounds__(256 + (kConverts ? 32 * kConverterWarps<kTokens> : 0) + kAskingThreads<kTokens>, 1)
    tile_gemm_kernel(const __grid_constant__ TileArgs args, const __grid_constant__ TileMaps maps) {
#ifdef CARAVEL_WARPGROUPS
  extern __shared__ __align__(1024) uint8_t shared[];
  const TilePlan& plan = args.plan;
  const uint32_t base = shared_address(shared);
  const Ring ring{uniform(base), uniform(base + plan.barriers_begin), static_cast<int>(uniform(plan.slot_bytes)),
                  static_cast<int>(uniform(plan.steps_ahead))};
  const Ring sources{base + plan.source_begin, base + plan.barriers_begin + 16 * plan.steps_ahead, plan.source_bytes,
                     plan.sources_ahead};
  // The same in all lanes, which the compiler must know to let products overlap.
  const int warp = __shfl_sync(~0U, static_cast<int>(threadIdx.x / 32), 0);
  const int consumer_warps = 4 * plan.warpgroups;
  constexpr int kConverters = kConverts ? kConverterWarps<kTokens> : 0;
  const bool asks_weights = warp == consumer_warps + kConverters;
  if (asks_weights) {
    // The first that needs them goes on at once.
    if (base % 1024 != 0) __trap();
    if constexpr (!kConverts) prefetch_weight_maps(args, maps);
    // Filled by the warp for tokens, and by that for weights or a team of converters.
    ring.init(1 + (kConverts ? kConverters / kConverterTeams : 1), consumer_warps);
    if constexpr (kConverts) sources.init(1, kConverters);
    fence_barrier_init();
    __syncwarp();
    arrive_at_threads(kAllThreads, static_cast<int>(blockDim.x));
  } else {
    sync_threads(kAllThreads, static_cast<int>(blockDim.x));
  }
  let_next_kernel_in();
  if (warp < consumer_warps) {
    if constexpr (kSharesRegisters<kTokens>) take_registers<232>();
    multiply<kTokens, kConverts>(args, ring, warp / 4, reinterpret_cast<float*>(shared + plan.staging_begin));
    return;
  }
  if constexpr (kSharesRegisters<kTokens>) give_registers<40>();
  if (warp < consumer_warps + kConverters) {
    if constexpr (kConverts) {
      convert_weights<kConverters / kConverterTeams>(args, shared, sources, ring, warp - consumer_warps);
    }
  } else if (asks_weights) {
    if constexpr (kConverts) {
      ask_for_sources(args, sources);
    } else {
      ask_for_images(args, maps, ring);
    }
  } else if (warp == consumer_warps + kConverters + 1) {
    ask_for_tokens<kTokens, !kConverts>(args, maps.input, ring);
  }
#endif
}

/// Rows of BF16 inputs, by boxes of 64 inputs of `box_tokens` rows.
CUtensorMap input_map(const GemmInput& input, int box_tokens) {
  return tensor_map(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, CU_TENSOR_MAP_SWIZZLE_128B, input.data,
                    {input.width, input.tokens}, {2 * input.width}, {kBlockInputs, box_tokens});
}

/// A part of BF16, by boxes of `box_blocks` images of `box_groups` groups: as they lie in memory, so elements may be of
/// any type, and the largest takes the fewest.
CUtensorMap images_map(const TilePart& part, int64_t blocks, int box_blocks, int box_groups) {
  constexpr int kWords = kImageBytes / 8;
  return tensor_map(CU_TENSOR_MAP_DATA_TYPE_INT64, CU_TENSOR_MAP_SWIZZLE_NONE, part.data, {kWords, blocks, part.groups},
                    {kImageBytes, part.group_bytes}, {kWords, box_blocks, box_groups});
}

template <bool kConverts>
void launch_tiles(Stream& stream, const LaunchShape& shape, const TileArgs& args, const TileMaps& maps) {
  switch (args.plan.tokens) {
    case 8:
      return launch(stream, shape, tile_gemm_kernel<8, kConverts>, args, maps);
    case 16:
      return launch(stream, shape, tile_gemm_kernel<16, kConverts>, args, maps);
    case 32:
      return launch(stream, shape, tile_gemm_kernel<32, kConverts>, args, maps);
    case 64:
      return launch(stream, shape, tile_gemm_kernel<64, kConverts>, args, maps);
    case 128:
      return launch(stream, shape, tile_gemm_kernel<128, kConverts>, args, maps);
    default:
      // Converters leave no registers for so many sums.
      if constexpr (!kConverts) return launch(stream, shape, tile_gemm_kernel<256, false>, args, maps);
      CARAVEL_CHECK(false);
  }
}

}  // namespace

void tile_gemm(Stream& stream, const GemmTask& task) {
  const PackedWeight& weight = *task.weight;
  const CudaDevice& device = as_cuda(stream).device();
  CARAVEL_CHECK(task.input.form == InputForm::kBf16);
  CARAVEL_CHECK_EQ(reinterpret_cast<uintptr_t>(task.input.data) % 64, uintptr_t{0});
  TileArgs args{.paired = task.use == GemmUse::kGated,
                .blocks = static_cast<int>(input_blocks(weight.in())),
                .tokens = static_cast<int>(task.input.tokens),
                .output = gemm_output(task)};
  args.plan = plan_tiles(weight.parts(), weight.in(), task.input.tokens, args.paired, device.num_sms(),
                         static_cast<int>(device.max_shared_bytes()));
  for (size_t i = 0; i < weight.parts().size(); ++i) args.parts[i] = tile_part(weight, i);
  LaunchShape shape;
  shape.grid = dim3(static_cast<unsigned>(std::min(args.plan.tiles(), device.num_sms())));
  shape.block = dim3(static_cast<unsigned>(args.plan.threads()));
  shape.shared_bytes = static_cast<size_t>(args.plan.shared_bytes);
  shape.early = true;
  TileMaps maps = {.input = input_map(task.input, args.plan.tokens)};
  if (args.plan.converts) {
    launch_tiles<true>(stream, shape, args, maps);
    return;
  }
  const int box_groups = args.plan.groups * (args.paired ? 1 : args.plan.warpgroups);
  for (size_t i = 0; i < weight.parts().size(); ++i) {
    maps.weights[i] = images_map(args.parts[i], args.blocks, args.plan.step_blocks, box_groups);
  }
  launch_tiles<false>(stream, shape, args, maps);
}

}  // namespace caravel::kernels::cuda
