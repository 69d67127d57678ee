#include <algorithm>

#include "base/check.h"
#include "device/cuda/cuda_device.h"
#include "kernels/cuda/common.cuh"
#include "kernels/cuda/tile_launch.cuh"
#include "kernels/cuda/tile_walk.cuh"
#include "kernels/cuda/warp_mma.cuh"
#include "kernels/cuda/weight_fragments.cuh"

// Weights are the 16 rows of mma and tokens its columns. A warp has two groups of eight rows, of a gated weight one of
// the gate and the same of up, streams them through a ring of its own in shared memory, makes bf16 of them where they
// are stored otherwise, and reads tokens from where they lie: no warp waits for another. A sum is made in the order of
// tile_gemm.cu or, where weights are not all BF16, of fragment_gemm.cu.

namespace caravel::kernels::cuda {
namespace {

constexpr int kGroups = 2;  // of a warp
constexpr int kStages = 4;  // of a warp's ring
constexpr int kMostWarps = 4;

struct WarpArgs {
  TilePart parts[PackedWeight::kMaxParts];
  int pairs[PackedWeight::kMaxParts];  // warps of each part
  int all_pairs;
  bool paired;
  bool has_parts;  // a sum
  int blocks;      // of 64 inputs
  int stage_blocks;
  int source_stride;  // bytes of a group of a stage
  int64_t in;
  int64_t input_stride;  // from a token's inputs to the next one's
  int64_t head_stride;   // GemmTask
  int tokens;
  ExpertRows experts;
  const BFloat16* input;
  GemmOutput output;

  __host__ __device__ int scales_begin() const { return kStages * kGroups * source_stride; }
  __host__ __device__ int warp_bytes() const { return scales_begin() + kScalePlaces * int{sizeof(float4)}; }
};

/// Eight rows of a part, in global memory.
struct Group {
  const TilePart* part;
  int expert;
  int number;

  /// Which row of the stack a row of the group is.
  __device__ int out_row(int row) const { return part->first_row + part->order.rows_at(number) * kGroupRows + row; }
  __device__ const uint8_t* data() const {
    return part->data + expert * part->expert_bytes + number * part->group_bytes;
  }
  /// What the lane has of a block of a stage. `scales`: the warp's, as written by write().
  __device__ void fill(const uint8_t* stage, int block, int half, int lane, const float4* scales,
                       Fragments& fragments) const {
    with_tile_type(part->dtype, [&]<DType kType>() {
      constexpr LevelKind kKind = level_kind(kType);
      LaneWeights<kKind> weights;
      weights.load(stage + levels_begin<kType>(block), lane);
      const float4 of_block = read_scales<kKind>(scales, block, half, lane);
#pragma unroll
      for (int pair = 0; pair < 8; ++pair) {
        fragments[pair / 2][pair % 2 * 2 + half] = weights.bf16(pair, of_block, lane);
      }
    });
  }
  __device__ void write(const uint8_t* stage, int half, int lane, float4* scales) const {
    with_tile_type(part->dtype, [&]<DType kType>() { write_scales<kType>(stage, half, lane, scales); });
  }
};

/// Asks for a stage of a group; nothing behind the last.
__device__ void copy_stage(const WarpArgs& args, const Group& group, int stage, int lane, uint8_t* to) {
  const TileFormat& format = group.part->format;
  const int64_t bytes = static_cast<int64_t>(args.stage_blocks / format.unit_blocks) * format.unit_bytes;
  const int64_t begin = stage * bytes;
  const int64_t end = min(begin + bytes, group.part->group_bytes);
  const uint8_t* const from = group.data();
  for (int64_t i = begin + 16 * lane; i < end; i += 16 * kWarp) copy_16_async(to + (i - begin), from + i, 16);
}

template <int kTokens>
__global__ void __launch_bounds__(kMostWarps* kWarp, 1) warp_gemm_kernel(const __grid_constant__ WarpArgs args) {
  extern __shared__ __align__(128) uint8_t shared[];
  if (args.experts.row_begin != nullptr) wait_for_kernel_before();  // for the table
  let_next_kernel_in();
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  int pair = static_cast<int>(blockIdx.x * blockDim.x) / kWarp + warp;
  if (pair >= args.all_pairs) return;
  int part = 0;
  while (pair >= args.pairs[part]) pair -= args.pairs[part++];
  Tile tile = token_tile(args.experts, args.tokens, static_cast<int>(blockIdx.y), kTokens);
  if (tile.end_token == 0) return;
  const auto head = static_cast<int>(blockIdx.z);
  if (args.head_stride > 0) tile.expert = head;
  Group groups[kGroups];
  if (args.paired) {
    groups[0] = {&args.parts[0], tile.expert, pair};
    groups[1] = {&args.parts[1], tile.expert, pair};
  } else {
    // Where a part has an odd number of groups, the last stands twice and is stored once.
    groups[0] = {&args.parts[part], tile.expert, kGroups * pair};
    groups[1] = {&args.parts[part], tile.expert, min(kGroups * pair + 1, args.parts[part].groups - 1)};
  }
  uint8_t* const ring = shared + warp * args.warp_bytes();
  auto* const scales = reinterpret_cast<float4*>(ring + args.scales_begin());
  const auto slot = [&](int stage, int group) {
    return ring + (stage % kStages * kGroups + group) * args.source_stride;
  };
  const auto request = [&](int stage) {
#pragma unroll
    for (int g = 0; g < kGroups; ++g) copy_stage(args, groups[g], stage, lane, slot(stage, g));
    commit_copies();
  };
  for (int stage = 0; stage < kStages - 1; ++stage) request(stage);
  wait_for_kernel_before();

  const int row = lane / 4;
  const int pair_of_four = lane % 4;
  float sums[kTokens / 8][4] = {};
  float totals[kTokens / 8][4] = {};  // of parts that are over
  const int slots = (args.blocks + kSourceBlocks - 1) / kSourceBlocks;
  int input_part = 0;
  const auto end_parts = [&](int block) {
    while (input_part < kInputParts && part_begin(input_part + 1, slots) * kSourceBlocks <= block) {
      ++input_part;
#pragma unroll
      for (int i = 0; i < kTokens / 2; ++i) {
        totals[i / 4][i % 4] = __fadd_rn(totals[i / 4][i % 4], sums[i / 4][i % 4]);
        sums[i / 4][i % 4] = 0.0F;
      }
    }
  };
  int stage = 0;
  for (int begin = 0; begin < args.blocks; begin += args.stage_blocks, ++stage) {
    wait_copies<kStages - 2>();
    __syncwarp();  // all lanes' copies are there, and none reads the stage before any longer
    request(stage + kStages - 1);
    if (args.has_parts) end_parts(begin);
#pragma unroll
    for (int g = 0; g < kGroups; ++g) groups[g].write(slot(stage, g), g, lane, scales);
    __syncwarp();
    for (int b = 0; b < min(args.stage_blocks, args.blocks - begin); ++b) {
      Fragments fragments;
#pragma unroll
      for (int g = 0; g < kGroups; ++g) groups[g].fill(slot(stage, g), b, g, lane, scales, fragments);
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const int64_t input = static_cast<int64_t>(begin + b) * kBlockInputs + 16 * k;
        const bool inside[2] = {input < args.in, input + 8 < args.in};
#pragma unroll
        for (int n = 0; n < kTokens / 8; ++n) {
          const int token = min(tile.first_token + 8 * n + row, tile.end_token - 1);
          const BFloat16* const from =
              args.input + token * args.input_stride + head * args.in + input + 2 * pair_of_four;
          const uint32_t low = inside[0] ? *reinterpret_cast<const uint32_t*>(from) : 0;
          const uint32_t high = inside[1] ? *reinterpret_cast<const uint32_t*>(from + 8) : 0;
          multiply_add<BFloat16>(sums[n], fragments[k], low, high);
        }
      }
    }
  }
  if (args.has_parts) {
    end_parts(slots * kSourceBlocks);
#pragma unroll
    for (int i = 0; i < kTokens / 2; ++i) sums[i / 4][i % 4] = totals[i / 4][i % 4];
  }

  const float row_scales[kGroups] = {groups[0].part->scale_of(tile.expert, groups[0].number * kGroupRows + row),
                                     groups[1].part->scale_of(tile.expert, groups[1].number * kGroupRows + row)};
#pragma unroll
  for (float(&sum)[4] : sums) {
#pragma unroll
    for (int i = 0; i < 4; ++i) sum[i] = __fmul_rn(sum[i], row_scales[i / 2]);
  }
#pragma unroll
  for (int n = 0; n < kTokens / 8; ++n) {
#pragma unroll
    for (int t = 0; t < 2; ++t) {
      const int token = tile.first_token + 8 * n + 2 * pair_of_four + t;
      if (token >= tile.end_token) continue;
      const float factor = args.output.factor(token);
      for (int g = 0; g < (args.paired ? 1 : kGroups); ++g) {
        const int row_of_part = groups[g].number * kGroupRows + row;
        const bool again = g == 1 && groups[1].number == groups[0].number;
        if (again || row_of_part >= groups[g].part->rows) continue;
        args.output.store(tile.expert, token, static_cast<int>(head * args.head_stride) + groups[g].out_row(row),
                          __fmul_rn(sums[n][2 * g + t], factor), __fmul_rn(sums[n][2 + t], factor));
      }
    }
  }
}

}  // namespace

void warp_gemm(Stream& stream, const GemmTask& task) {
  const PackedWeight& weight = *task.weight;
  const CudaDevice& device = as_cuda(stream).device();
  CARAVEL_CHECK(task.input.form == InputForm::kBf16);
  CARAVEL_CHECK_EQ(reinterpret_cast<uintptr_t>(task.input.data) % 16, uintptr_t{0});
  const TokenLoad load = token_load(task);
  WarpArgs args{.paired = task.use == GemmUse::kGated,
                .has_parts = converts(weight),
                .blocks = static_cast<int>(input_blocks(weight.in())),
                .stage_blocks = 2,
                .in = weight.in(),
                .input_stride = task.input.width,
                .head_stride = task.head_stride,
                .tokens = static_cast<int>(load.tokens),
                .experts = expert_rows(task),
                .input = reinterpret_cast<const BFloat16*>(task.input.data),
                .output = gemm_output(task)};
  const size_t parts = weight.parts().size();
  for (size_t i = 0; i < parts; ++i) {
    args.parts[i] = tile_part(weight, i);
    args.pairs[i] = args.paired ? args.parts[i].groups : (args.parts[i].groups + 1) / kGroups;
    if (level_kind(args.parts[i].dtype) < LevelKind::kHalf) args.stage_blocks = kSourceBlocks;
    if (i == 0 || !args.paired) args.all_pairs += args.pairs[i];
  }
  for (size_t i = 0; i < parts; ++i) {
    const TileFormat& format = args.parts[i].format;
    args.source_stride = std::max(args.source_stride, args.stage_blocks / format.unit_blocks * format.unit_bytes);
  }
  const int tile = args.tokens <= 8 ? 8 : args.tokens <= 32 ? 32 : 64;
  const int token_tiles = static_cast<int>(most_token_tiles(load, tile));
  // Room for two blocks of an SM, and a block for each SM.
  const int most = static_cast<int>(device.max_shared_bytes()) / 2 / args.warp_bytes();
  const int heads = heads_of(task);
  const int wanted = args.all_pairs * token_tiles * heads / device.num_sms();
  const int warps = std::clamp(std::min(most, wanted), 1, kMostWarps);
  const dim3 grid(blocks_for(args.all_pairs, warps), static_cast<unsigned>(token_tiles), static_cast<unsigned>(heads));
  const auto run = [&](auto* kernel) {
    launch_early(stream, kernel, grid, dim3(static_cast<unsigned>(warps * kWarp)),
                 static_cast<size_t>(warps * args.warp_bytes()), args);
  };
  switch (tile) {
    case 8:
      return run(warp_gemm_kernel<8>);
    case 32:
      return run(warp_gemm_kernel<32>);
    default:
      return run(warp_gemm_kernel<64>);
  }
}

}  // namespace caravel::kernels::cuda
