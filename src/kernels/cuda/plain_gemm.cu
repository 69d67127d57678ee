#include <cuda_bf16.h>

#include "device/cuda/launch.cuh"
#include "kernels/cuda/epilogue.cuh"
#include "kernels/cuda/tile_inputs.cuh"
#include "kernels/cuda/tile_launch.cuh"
#include "kernels/cuda/tile_walk.cuh"

namespace caravel::kernels::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kTokens = 8;  // of a warp: a row is read once for them

struct PlainArgs {
  TilePart parts[PackedWeight::kMaxParts];
  int rows;  // that are summed for; of the gate alone, where there is one
  int64_t in;
  int64_t input_stride;  // from a token's inputs to the next one's
  int64_t head_stride;   // GemmTask
  int tokens;
  ExpertRows experts;
  const void* input;
  bool bf16;
  GemmOutput output;
};

/// Input i of an expert's row.
__device__ float weight_value(const TilePart& part, int expert, int64_t row, int64_t i, int64_t in) {
  const uint8_t* const data = part.data + expert * part.expert_bytes;
  if (part.dtype == DType::kF32) return reinterpret_cast<const float*>(data)[row * in + i];
  row = int64_t{part.order.place_of(static_cast<int>(row / kGroupRows))} * kGroupRows + row % kGroupRows;
  const int64_t block = i / kBlockInputs;
  const int place = static_cast<int>(i % kBlockInputs);
  const uint8_t* const unit =
      data + row / kGroupRows * part.group_bytes + block / part.format.unit_blocks * part.format.unit_bytes;
  if (part.dtype == DType::kF8E4M3) {
    return __fmul_rn(part.scale_of(expert, static_cast<int>(row)), f8_value(unit, row, place));
  }
  if (part.dtype == DType::kF8E4M3B128) {
    return __fmul_rn(f8_scale<DType::kF8E4M3B128>(unit, nullptr, row),
                     f8_value(unit + block % 2 * kF8BlockBytes, row, place));
  }
  const uint8_t* const at = unit + image_offset(static_cast<int>(row % kGroupRows), place / 8) + 2 * (place % 8);
  return part.dtype == DType::kF16 ? half_value(at) : __bfloat162float(*reinterpret_cast<const __nv_bfloat16*>(at));
}

/// Sums of a row for a tile's tokens, the same in every lane. Tokens past the last read the last's input.
__device__ void sum_row(const PlainArgs& args, const TilePart& part, int64_t row, const Tile& tile,
                        float (&sums)[kTokens]) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (float& sum : sums) sum = 0.0F;
  for (int64_t i = lane; i < args.in; i += 32) {
    const float weight = weight_value(part, tile.expert, row, i, args.in);
#pragma unroll
    for (int t = 0; t < kTokens; ++t) {
      const int64_t at = min(tile.first_token + t, tile.end_token - 1) * args.input_stride + blockIdx.z * args.in + i;
      const float x = args.bf16 ? __bfloat162float(static_cast<const __nv_bfloat16*>(args.input)[at])
                                : static_cast<const float*>(args.input)[at];
      sums[t] = __fmaf_rn(weight, x, sums[t]);
    }
  }
#pragma unroll
  for (float& sum : sums) {
#pragma unroll
    for (int apart = 16; apart > 0; apart /= 2) sum = __fadd_rn(sum, __shfl_xor_sync(~0U, sum, apart));
  }
}

__global__ void __launch_bounds__(32 * kWarps) plain_gemm_kernel(const PlainArgs args) {
  const int row = static_cast<int>(blockIdx.x) * kWarps + static_cast<int>(threadIdx.x / 32);
  if (row >= args.rows) return;
  const int lane = threadIdx.x % 32;
  Tile tile = token_tile(args.experts, args.tokens, static_cast<int>(blockIdx.y), kTokens);
  if (tile.end_token == 0) return;
  const auto head = static_cast<int>(blockIdx.z);
  if (args.head_stride > 0) tile.expert = head;
  int part = 0;
  int64_t row_of_part = row;
  while (row_of_part >= args.parts[part].rows) row_of_part -= args.parts[part++].rows;
  float sums[kTokens];
  sum_row(args, args.parts[part], row_of_part, tile, sums);
  float up_sums[kTokens] = {};
  if (args.output.use == GemmUse::kGated) sum_row(args, args.parts[1], row, tile, up_sums);
#pragma unroll
  for (int t = 0; t < kTokens; ++t) {
    const int token = tile.first_token + t;
    if (lane != t || token >= tile.end_token) continue;
    const float factor = args.output.factor(token);
    args.output.store(tile.expert, token, static_cast<int>(head * args.head_stride) + row, __fmul_rn(sums[t], factor),
                      __fmul_rn(up_sums[t], factor));
  }
}

}  // namespace

bool takes_tile_gemm(const PackedWeight& weight) {
  if (weight.in() % 8 != 0) return false;
  for (const PackedWeight::Part& part : weight.parts()) {
    if (part.dtype == DType::kF32) return false;
  }
  return true;
}

void plain_gemm(Stream& stream, const GemmTask& task) {
  const PackedWeight& weight = *task.weight;
  const TokenLoad load = token_load(task);
  PlainArgs args{.rows = static_cast<int>(task.head_stride > 0 ? weight.out() : task.out.width),
                 .in = weight.in(),
                 .input_stride = task.input.width,
                 .head_stride = task.head_stride,
                 .tokens = static_cast<int>(load.tokens),
                 .experts = expert_rows(task),
                 .input = task.input.data,
                 .bf16 = task.input.form == InputForm::kBf16,
                 .output = gemm_output(task)};
  for (size_t i = 0; i < weight.parts().size(); ++i) args.parts[i] = tile_part(weight, i);
  const dim3 grid(static_cast<unsigned>((args.rows + kWarps - 1) / kWarps),
                  static_cast<unsigned>(most_token_tiles(load, kTokens)), static_cast<unsigned>(heads_of(task)));
  launch(stream, plain_gemm_kernel, grid, dim3(32 * kWarps), 0, args);
}

}  // namespace caravel::kernels::cuda
