#include "device/cuda/launch.cuh"
#include "kernels/cuda/fragment_requests.cuh"
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
// them. With many, one or two warpgroups have rows of their own and go through all inputs; they add up the same
// quarters in the same order.

namespace caravel::kernels::cuda {
namespace {

/// A warp's share of a tile.
struct WarpShare {
  int group[2];  // of the warpgroup's; which the warp's lower and upper eight rows are
  bool has[2];
};

/// Each warp has a group before any has two. Where warpgroups share a tile's rows, each begins with another warp: a
/// warp's number says which of an SM's four parts it runs on, and all are to have as much to do.
__device__ inline WarpShare share_of(const TilePlan& plan, int split, int warp) {
  WarpShare share;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    share.group[half] = (plan.splits > 1 ? warp - split & 3 : warp) + 4 * half;
    share.has[half] = share.group[half] < plan.groups;
  }
  return share;
}

/// Up to so many tokens each warp multiplies by mma, which waits for no other warp: the same bits as wgmma's, where
/// both take the same inputs, sixteen at a time, in the same order.
constexpr int kWarpTokens = 16;

struct Consumer {
  Ring sources;
  Ring tokens;
  const uint8_t* source_slots;  // the slots of `sources`, at the warpgroup's rows
  const uint8_t* token_slots;   // those of `tokens`
  float4* scales;               // the warp's
  int lane;
  RingPlace source;
  RingPlace token;

  /// Adds the products of some slots of weights of one type. All of the warpgroup call it.
  template <int kTokens, LevelKind kKind>
  __device__ void multiply(const TilePart& part, const WarpShare& share, int slots, float (&sum)[kTokens / 2]) {
    constexpr int kBlocks = token_blocks(kTokens);
    const LevelPlace place = level_place(part.dtype);
    const int group_bytes = kSourceBlocks / part.format.unit_blocks * part.format.unit_bytes;
    constexpr bool kWarps = kTokens <= kWarpTokens;
    Fragments fragments;
    for (int slot = 0; slot < slots; ++slot) {
      sources.wait_filled(source);
      const uint8_t* const bytes = source_slots + source.slot * sources.slot_bytes;
      const uint8_t* groups[2];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        groups[half] = share.has[half] ? bytes + share.group[half] * group_bytes : nullptr;
      }
      write_scales<kKind>(part.dtype, groups, lane, scales);
      __syncwarp();
      LaneWeights<kKind> weights[2];
      const auto load_weights = [&](int block) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          if (!share.has[half]) continue;
          weights[half].load(groups[half] + place.of(block), lane);
        }
      };
      load_weights(0);
// More at once would not fit the cache of instructions.
#pragma unroll 1
      for (int block = 0; block < kSourceBlocks; ++block) {
        if (block % kBlocks == 0) tokens.wait_filled(token);
        const int block_begin = token.slot * tokens.slot_bytes + block % kBlocks * (kTokens * 128);
        TokenPairs pairs;
        if constexpr (kWarps) load_tokens(token_slots + block_begin, pairs);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          if (share.has[half]) {
            weights[half].fill(scales + block * kScaleRows + half * kGroupRows + lane / 4, half, lane, fragments);
          } else {
#pragma unroll
            for (int i = 0; i < 8; ++i) fragments[i / 2][i % 2 * 2 + half] = 0;
          }
        }
        // Those of the next block are on their way while this one's are multiplied.
        if (block + 1 < kSourceBlocks) {
          load_weights(block + 1);
        } else {
          fence_shared_for_async();
          __syncwarp();
          if (lane == 0) arrive(sources.emptied(source));
          source.advance(sources.count);
        }
        if constexpr (kWarps) {
#pragma unroll
          for (int eight = 0; eight < kTokens / 8; ++eight) {
            if (eight > 0) load_tokens(token_slots + block_begin + eight * kImageBytes, pairs);
#pragma unroll
            for (int k = 0; k < 4; ++k) {
              multiply_add<BFloat16>(reinterpret_cast<float(&)[4]>(sum[4 * eight]), fragments[k],
                                     pairs[k / 2][k % 2 * 2], pairs[k / 2][k % 2 * 2 + 1]);
            }
          }
        } else {
          const MatrixDescriptor image = matrix_descriptor(tokens.slots + block_begin, kImageBytes);
          fence_products();
#pragma unroll
          for (int k = 0; k < 4; ++k) add_product<kTokens>(sum, fragments[k], image.at(32 * k));
          commit_products();
          // Meanwhile other warpgroups make theirs. The registers are free again afterwards.
          wait_products<0>();
        }
        if (block % kBlocks == kBlocks - 1) {
          if constexpr (kWarps) fence_shared_for_async();
          __syncwarp();
          if (lane == 0) arrive(tokens.emptied(token));
          token.advance(tokens.count);
        }
      }
    }
  }

  /// Eight tokens of a block of 64 inputs: of each sixteen what multiply_add() takes.
  using TokenPairs = uint32_t[2][4];
  __device__ void load_tokens(const uint8_t* image, TokenPairs& pairs) const {
#pragma unroll
    for (int i = 0; i < 2; ++i) load_matrices(pairs[i], image + image_offset(lane % 8, 4 * i + lane / 8));
  }
};

/// The warpgroups that multiply.
template <int kTokens, int kSplits>
__device__ void multiply_fragments(const TileArgs& args, uint8_t* shared, const Ring& handover, Consumer& consumer,
                                   int warpgroup, int warp) {
  const TilePlan& plan = args.plan;
  const int slots = (args.blocks + kSourceBlocks - 1) / kSourceBlocks;
  const int lane = consumer.lane;
  const WarpShare share = share_of(plan, warpgroup, warp % 4);
  const auto multiply = [&](const TilePart& part, int count, float(&sum)[kTokens / 2]) {
#pragma unroll
    for (float& value : sum) value = 0.0F;
    with_level_kind(level_kind(part.dtype),
                    [&]<LevelKind kKind>() { consumer.multiply<kTokens, kKind>(part, share, count, sum); });
#pragma unroll
    for (float& value : sum) asm volatile("" : "+f"(value)::"memory");
  };
  if constexpr (kSplits == 1) wait_for_kernel_before();
  RingPlace place;
  for_each_tile(plan, [&](int row_tile, int token_tile) {
    float sum[kTokens / 2];
    if constexpr (kSplits > 1) {
      for (int pass = 0; pass < passes<kSplits>(args); ++pass) {
        const int count = part_begin(warpgroup + 1, slots) - part_begin(warpgroup, slots);
        multiply(*rows_of_tile(args, row_tile, pass).part, count, sum);
        handover.wait_emptied(place);
        // What follows from it is worked out here, and not kept in registers meanwhile.
        int here = lane;
        asm volatile("" : "+r"(here));
        float* const part = reinterpret_cast<float*>(shared + plan.parts_begin) + warpgroup * kTokens * kPartStride;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          float* const mine = part + share.group[half] * kGroupRows + here / 4 + here % 4 * 2 * kPartStride;
#pragma unroll
          for (int i = 0; i < kTokens / 4; ++i) {
            mine[(i / 2 * 8 + i % 2) * kPartStride] = sum[i / 2 * 4 + 2 * half + i % 2];
          }
        }
        __syncwarp();
        if (lane == 0) arrive(handover.filled(place));
        place.advance(1);
      }
    } else {
      float total[kTokens / 2];
      const TilePart& rows_part = *rows_of_tile(args, row_tile, warpgroup).part;
      for (int part = 0; part < kInputParts; ++part) {
        multiply(rows_part, part_begin(part + 1, slots) - part_begin(part, slots), sum);
#pragma unroll
        for (int i = 0; i < kTokens / 2; ++i) total[i] = part == 0 ? sum[i] : __fadd_rn(total[i], sum[i]);
      }
      if (rows_part.row_scales != nullptr) {
        const int first_row = rows_of_tile(args, row_tile, warpgroup).first_group * kGroupRows + lane / 4;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const float scale = rows_part.scale_of(first_row + share.group[half] * kGroupRows);
#pragma unroll
          for (int i = 0; i < kTokens / 4; ++i) {
            float& of_row = total[i / 2 * 4 + 2 * half + i % 2];
            of_row = __fmul_rn(of_row, scale);
          }
        }
      }
      float* const staging = reinterpret_cast<float*>(shared + plan.staging_begin);
      TileStore<kTokens, false> store(args, row_tile, token_tile, share.group[0], share.group[1], staging);
      store(args, total, staging);
    }
  });
}

constexpr int kStoringThreads = 64;

/// The warps that add up what the splits of a tile have made, and store it, while these are at the next tile.
template <int kTokens, int kSplits>
__device__ void store_parts(const TileArgs& args, uint8_t* shared, const Ring& handover, int thread) {
  constexpr int kFours = 16;  // of a token's rows
  const float* const parts = reinterpret_cast<const float*>(shared + args.plan.parts_begin);
  float* const first_pass = reinterpret_cast<float*>(shared + args.plan.staging_begin);
  const GemmOutput& output = args.output;
  wait_for_kernel_before();
  RingPlace place;
  for_each_tile(args.plan, [&](int row_tile, int token_tile) {
    const int first_token = token_tile * kTokens;
    const int fours = min(kTokens, args.tokens - first_token) * kFours;
    const Rows rows = rows_of_tile(args, row_tile, 0);
    const int first_row = rows.first_group * kGroupRows;
    const int row_count = rows.count();
    const bool by_fours = row_count % 4 == 0 && output.takes_fours(rows.part->first_row);
    for (int left = passes<kSplits>(args); left > 0; --left) {
      const TilePart& part_of_pass = args.paired && left == 1 ? args.parts[1] : *rows.part;
      handover.wait_filled(place);
      for (int i = thread; i < fours; i += kStoringThreads) {
        const int at = i / kFours * kPartStride + i % kFours * 4;
        float4 sum = *reinterpret_cast<const float4*>(parts + at);
#pragma unroll
        for (int split = 1; split < kSplits; ++split) {
          const float* const part = parts + split * kTokens * kPartStride + at;
          sum = GemmOutput::sum_of(sum, *reinterpret_cast<const float4*>(part));
        }
        const int row = i % kFours * 4;
        if (part_of_pass.row_scales != nullptr) {
          sum.x = __fmul_rn(sum.x, part_of_pass.scale_of(first_row + row));
          sum.y = __fmul_rn(sum.y, part_of_pass.scale_of(first_row + row + 1));
          sum.z = __fmul_rn(sum.z, part_of_pass.scale_of(first_row + row + 2));
          sum.w = __fmul_rn(sum.w, part_of_pass.scale_of(first_row + row + 3));
        }
        auto* const before = reinterpret_cast<float4*>(first_pass + at);  // this thread's
        if (left > 1) {
          *before = sum;
          continue;
        }
        if (row >= row_count) continue;
        const int token = first_token + i / kFours;
        const int out_row = rows.row(row);
        const float factor = output.factor(token);
        const float4 gate = times(args.paired ? *before : sum, factor);
        sum = times(sum, factor);
        if (by_fours) {
          const float4 there = output.accumulate ? output.four(token, out_row) : float4{};
          output.store_four(token, out_row, gate, sum, there);
          continue;
        }
        const float gates[4] = {gate.x, gate.y, gate.z, gate.w};
        const float sums[4] = {sum.x, sum.y, sum.z, sum.w};
#pragma unroll
        for (int r = 0; r < 4; ++r) {
          if (row + r < row_count) output.store(token, out_row + r, gates[r], sums[r]);
        }
      }
      __syncwarp();
      if (thread % 32 == 0) arrive(handover.emptied(place));
      place.advance(1);
    }
  });
}

template <int kSplits>
constexpr int kMostThreads = 128 * (kSplits == 1 ? 2 : kSplits) + 128;

template <int kTokens, int kSplits>
__global__ void __launch_bounds__(kMostThreads<kSplits>, 1)
    fragment_gemm_kernel(const __grid_constant__ TileArgs args, const __grid_constant__ TileMaps maps, bool wide) {
#ifdef CARAVEL_WARPGROUPS
  extern __shared__ __align__(1024) uint8_t shared[];
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
  if (warp == 0) {
    if (base % 1024 != 0) __trap();
    for (int split = 0; split < kSplits; ++split) {
      sources.ring(split).init(1, consumer_warps / kSplits);
      tokens.ring(split).init(1, consumer_warps / kSplits);
    }
    handover.init(consumer_warps, kStoringThreads / 32);
    fence_barrier_init();
  }
  __syncthreads();
  let_next_kernel_in();
  if (warp < consumer_warps) {
    take_registers<kSplits == 1 ? 232 : 104>();
    const int split = kSplits > 1 ? warp / 4 : 0;
    const int rows = kSplits > 1 ? 0 : warp / 4;
    Consumer consumer{
        .sources = sources.ring(split),
        .tokens = tokens.ring(split),
        .source_slots =
            shared + plan.source_begin + split * sources.ring_bytes + rows * (plan.source_bytes / plan.warpgroups),
        .token_slots = shared + split * tokens.ring_bytes,
        .scales = reinterpret_cast<float4*>(shared + plan.scales_begin) + warp * (kSourceBlocks * kScaleRows),
        .lane = static_cast<int>(threadIdx.x % 32)};
    multiply_fragments<kTokens, kSplits>(args, shared, handover, consumer, warp / 4, warp);
    return;
  }
  give_registers<kSplits == 1 ? 40 : 64>();
  if (warp == consumer_warps) {
    ask_for_sources<kSplits>(args, maps, sources);
  } else if (warp == consumer_warps + 1) {
    ask_for_split_tokens<kTokens, kSplits>(args, maps.input, wide, tokens);
  } else if constexpr (kSplits > 1) {
    store_parts<kTokens, kSplits>(args, shared, handover, static_cast<int>(threadIdx.x) - 32 * (consumer_warps + 2));
  }
#endif
}

/// Rows of BF16 inputs, by boxes of `box_blocks` blocks of 64 inputs of `box_tokens` rows, or of one block.
CUtensorMap token_map(const GemmInput& input, int box_tokens, int box_blocks, bool wide) {
  if (!wide) {
    return tensor_map(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, CU_TENSOR_MAP_SWIZZLE_128B, input.data,
                      {input.width, input.tokens}, {2 * input.width}, {kBlockInputs, box_tokens});
  }
  return tensor_map(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, CU_TENSOR_MAP_SWIZZLE_128B, input.data,
                    {kBlockInputs, input.tokens, input.width / kBlockInputs}, {2 * input.width, 2 * kBlockInputs},
                    {kBlockInputs, box_tokens, box_blocks});
}

void launch_fragments(Stream& stream, const LaunchShape& shape, const TileArgs& args, const TileMaps& maps, bool wide) {
  switch (args.plan.tokens) {
    case 8:
      return launch(stream, shape, fragment_gemm_kernel<8, kInputParts>, args, maps, wide);
    case 16:
      return launch(stream, shape, fragment_gemm_kernel<16, kInputParts>, args, maps, wide);
    case 32:
      return launch(stream, shape, fragment_gemm_kernel<32, kInputParts>, args, maps, wide);
    case 64:
      if (args.plan.splits == 1) return launch(stream, shape, fragment_gemm_kernel<64, 1>, args, maps, wide);
      return launch(stream, shape, fragment_gemm_kernel<64, kInputParts>, args, maps, wide);
    default:
      return launch(stream, shape, fragment_gemm_kernel<128, 1>, args, maps, wide);
  }
}

}  // namespace

void fragment_gemm(Stream& stream, const GemmTask& task) {
  const TileLaunch tiles = tile_launch(stream, task);
  const TileArgs& args = tiles.args;
  const bool wide = task.input.width % kBlockInputs == 0;
  TileMaps maps = {.input = token_map(task.input, args.plan.tokens, args.plan.step_blocks, wide)};
  for (size_t i = 0; i < task.weight->parts().size(); ++i) {
    maps.weights[i] = units_map(args.parts[i], kSourceBlocks / args.parts[i].format.unit_blocks, args.plan.groups);
  }
  launch_fragments(stream, tiles.shape, args, maps, wide);
}

}  // namespace caravel::kernels::cuda
