#include "base/check.h"
#include "device/cuda/launch.cuh"
#include "kernels/cuda/early.cuh"
#include "kernels/cuda/tile_inputs.cuh"
#include "kernels/embedding.h"

namespace caravel::kernels::cuda {
namespace {

struct EmbeddingKernelArgs {
  const uint8_t* table;
  DType dtype;
  bool quantized;
  int64_t rows;
  int64_t width;
  int64_t group_bytes;
  TileFormat format;
  const float* row_scales;  // of F8_E4M3
  const int32_t* ids;
  int32_t first_id;
  float scale;
  const float* added;
  const int32_t* added_rows;
  float* out;
  int64_t out_stride;
};

/// The lane_input()s of lane `piece` % 4 of block `piece` / 4 of a row; those past the row are zero.
__device__ void read_sixteen(const EmbeddingKernelArgs& args, int64_t row, int piece, float (&values)[16]) {
  const int64_t block = piece / 4;
  const int row_in_group = static_cast<int>(row % kGroupRows);
  const int lane = row_in_group * 4 + piece % 4;
  const uint8_t* const unit =
      args.table + row / kGroupRows * args.group_bytes + block / args.format.unit_blocks * args.format.unit_bytes;
  if (args.quantized) {
    with_quant_tile(args.dtype, [&]<DType kType>() {
      using Tile = QuantTile<kType>;
      const int in_unit = static_cast<int>(block % args.format.unit_blocks);
      const BlockScales scales = block_scales<kType>(unit, in_unit, row_in_group);
      const uint8_t* const levels_begin = unit + Tile::kHeadBytes + in_unit * Tile::kBlockBytes;
      if constexpr (Tile::kCodes) {
        LaneE2M1 codes;
        codes.load(levels_begin, lane);
#pragma unroll
        for (int i = 0; i < 16; ++i) {
          values[i] = __fmul_rn(scales.scale[i / 8], value_of_pair(codes.bf16(i / 2), i % 2));
        }
        return;
      }
      LaneLevels<Tile::kBits> levels;
      levels.load(levels_begin, lane);
      // As dequantize_rows() rounds: no fused multiply-add.
#pragma unroll
      for (int i = 0; i < 16; ++i) {
        const float2 pair = levels.biased(i / 2);
        const float level = (i % 2 == 0 ? pair.x : pair.y) - Tile::kBias;
        const float product = __fmul_rn(scales.scale[i * Tile::kScales / 16], level);
        values[i] = Tile::kMinima ? __fadd_rn(product, scales.minimum[i / 8]) : product;
      }
    });
    return;
  }
  const auto read_f8 = [&](int unit_block, float row_scale) {
    LaneFloat8 codes;
    codes.load(unit + unit_block * kF8BlockBytes, lane);
#pragma unroll
    for (int i = 0; i < 16; ++i) values[i] = __fmul_rn(row_scale, value_of_pair(codes.bf16(i / 2), i % 2));
  };
  if (args.dtype == DType::kF8E4M3) return read_f8(0, f8_scale<DType::kF8E4M3>(unit, args.row_scales, row));
  if (args.dtype == DType::kF8E4M3B128) {
    return read_f8(static_cast<int>(block % 2), f8_scale<DType::kF8E4M3B128>(unit, nullptr, row));
  }
#pragma unroll
  for (int i = 0; i < 16; ++i) {
    const uint8_t* const at = unit + image_offset(row_in_group, i / 2) + 2 * (lane_input(piece % 4, i) % 8);
    values[i] =
        args.dtype == DType::kF16 ? half_value(at) : __bfloat162float(*reinterpret_cast<const __nv_bfloat16*>(at));
  }
}

/// A block of threads for each token.
__global__ void embedding_kernel(const EmbeddingKernelArgs args) {
  follow_kernel_before();
  const int64_t row = static_cast<int64_t>(args.ids[blockIdx.x]) - args.first_id;
  float* const out = args.out + static_cast<int64_t>(blockIdx.x) * args.out_stride;
  const bool held = row >= 0 && row < args.rows;
  const float* const added =
      args.added == nullptr ? nullptr : args.added + static_cast<int64_t>(args.added_rows[blockIdx.x]) * args.width;
  const auto store = [&](int64_t i, float value) { out[i] = added == nullptr ? value : __fadd_rn(value, added[i]); };
  if (!held || args.dtype == DType::kF32) {
    const float* const from = reinterpret_cast<const float*>(args.table) + row * args.width;
    for (int64_t i = threadIdx.x; i < args.width; i += blockDim.x) {
      store(i, held ? __fmul_rn(args.scale, from[i]) : 0.0F);
    }
    return;
  }
  const int pieces = static_cast<int>((args.width + kBlockInputs - 1) / kBlockInputs) * 4;
  for (int piece = static_cast<int>(threadIdx.x); piece < pieces; piece += static_cast<int>(blockDim.x)) {
    float values[16];
    read_sixteen(args, row, piece, values);
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      const int at = piece / 4 * kBlockInputs + lane_input(piece % 4, i);
      if (at < args.width) store(at, __fmul_rn(args.scale, values[i]));
    }
  }
}

}  // namespace

void embedding(Stream& stream, const EmbeddingArgs& args) {
  const PackedWeight& table = *args.table;
  CARAVEL_CHECK_EQ(table.parts().size(), size_t{1});
  CARAVEL_CHECK(args.out.dtype == DType::kF32);
  CARAVEL_CHECK_EQ(args.out.width, table.in());
  CARAVEL_CHECK_GE(args.out.stride, args.out.width);
  const PackedWeight::Part& part = table.parts()[0];
  const auto* const data = reinterpret_cast<const uint8_t*>(table.data()) + part.offset;
  // Not early: what kernels before a pass wrote is there for all of its kernels, whatever they wait for themselves.
  launch(stream, embedding_kernel, dim3(static_cast<unsigned>(args.out.rows)), dim3(256), 0,
         EmbeddingKernelArgs{.table = data,
                             .dtype = part.dtype,
                             .quantized = is_quantized(part.dtype),
                             .rows = part.rows,
                             .width = table.in(),
                             .group_bytes = group_bytes(part.dtype, table.in()),
                             .format = tile_format(part.dtype),
                             .row_scales = row_scales_of(data, part, table.in()),
                             .ids = args.ids,
                             .first_id = args.first_id,
                             .scale = args.scale,
                             .added = args.added,
                             .added_rows = args.added_rows,
                             .out = static_cast<float*>(args.out.data),
                             .out_stride = args.out.stride});
}

}  // namespace caravel::kernels::cuda
