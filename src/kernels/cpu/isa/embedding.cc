#include "kernels/cpu/embedding_args.h"
#include "kernels/cpu/isa/weight_blocks.h"

namespace caravel::kernels::CARAVEL_ISA {
namespace {

template <typename Blocks, int g, int h>
void unpack_levels(const typename Blocks::Block& block, uint8_t* to) {
  store_bytes(to + 64 * g, Blocks::template levels<g, h>(block));
  if constexpr (g < 7) unpack_levels<Blocks, g + 1, h>(block, to);
}

/// 32 inputs of row r of 16: the rows of a panel lie interleaved, so half a block is unpacked and one row of it kept.
template <typename Blocks, int h>
void read_block(const typename Blocks::Block& block, int64_t r, float scale, float* out) {
  uint8_t levels[8][64];  // [inputs / 4][rows, 4 inputs]
  unpack_levels<Blocks, 0, h>(block, levels[0]);
  Floats packed_scales[Blocks::kScales];
  Floats packed_minima = broadcast(0.0F);
  Blocks::template scales<h>(Blocks::head(block), block, packed_scales, packed_minima);
  float scales[Blocks::kScales][16];
  float minima[16];
  for (int s = 0; s < Blocks::kScales; ++s) store_floats(scales[s], packed_scales[s]);
  store_floats(minima, packed_minima);
  for (int i = 0; i < 32; ++i) {
    const int level = levels[i / 4][4 * r + i % 4];
    const float d = scales[Blocks::kScales == 2 ? i / 16 : 0][r];
    out[i] = scale * (d * static_cast<float>(level - Blocks::kOffset) + minima[r]);
  }
}

template <DType kType>
void quantized_row(const uint8_t* panels, int64_t row, int64_t width, float scale, float* out) {
  using Blocks = PackedBlocks<kType>;
  const uint8_t* panel = panels + row / kPanelRows * Blocks::panel_bytes(width);
  for (int64_t b = 0; b < width / 32; ++b) {
    const typename Blocks::Block block = Blocks::at(panel, b);
    if (row % kPanelRows < 16) {
      read_block<Blocks, 0>(block, row % 16, scale, out + 32 * b);
    } else {
      read_block<Blocks, 1>(block, row % 16, scale, out + 32 * b);
    }
  }
}

template <DType kType>
void plain_row(const uint8_t* panels, int64_t row, int64_t width, float scale, float* out) {
  constexpr int64_t kSize = kType == DType::kF32 ? 4 : 2;
  const int64_t r = row % kPanelRows;
  const uint8_t* at = panels + (row / kPanelRows * width * kPanelRows + r / 16 * 16) * kSize;
  for (int64_t i = 0; i < width; ++i) {
    float values[16];
    if constexpr (kType == DType::kF32) {
      store_floats(values, load_floats(reinterpret_cast<const float*>(at)));
    } else {
      store_floats(values, kType == DType::kF16 ? load_halves(at) : load_bfloats(at));
    }
    out[i] = scale * values[r % 16];
    at += kPanelRows * kSize;
  }
}

void f8_row(const uint8_t* panels, int64_t scale_count, int64_t row, int64_t width, float scale, float* out) {
  const uint8_t* const panel = panels + row / kPanelRows * kPanelRows * (width + 4 * scale_count);
  const auto* const scales = reinterpret_cast<const float*>(panel) + row % kPanelRows;
  const uint8_t* const levels = panel + scale_count * kPanelRows * 4 + row % kPanelRows / 16 * 16;
  for (int64_t i = 0; i < width; ++i) {
    float values[16];
    store_floats(values, load_f8s(levels + i * kPanelRows));
    out[i] = scale * (scales[i * scale_count / width * kPanelRows] * values[row % 16]);
  }
}

void read_row(const EmbeddingCpuArgs& args, int64_t row, float* out) {
  const uint8_t* panels = args.table.panels;
  const int64_t width = args.out.width;
  switch (args.table.dtype) {
    case DType::kF32:
      return plain_row<DType::kF32>(panels, row, width, args.scale, out);
    case DType::kF16:
      return plain_row<DType::kF16>(panels, row, width, args.scale, out);
    case DType::kBF16:
      return plain_row<DType::kBF16>(panels, row, width, args.scale, out);
    case DType::kF8E4M3:
      return f8_row(panels, 1, row, width, args.scale, out);
    case DType::kF8E4M3B128:
      return f8_row(panels, width / 128, row, width, args.scale, out);
    case DType::kQ4_0:
      return quantized_row<DType::kQ4_0>(panels, row, width, args.scale, out);
    case DType::kQ4_1:
      return quantized_row<DType::kQ4_1>(panels, row, width, args.scale, out);
    case DType::kQ5_0:
      return quantized_row<DType::kQ5_0>(panels, row, width, args.scale, out);
    case DType::kQ5_1:
      return quantized_row<DType::kQ5_1>(panels, row, width, args.scale, out);
    case DType::kQ8_0:
      return quantized_row<DType::kQ8_0>(panels, row, width, args.scale, out);
    case DType::kQ4_K:
      return quantized_row<DType::kQ4_K>(panels, row, width, args.scale, out);
    case DType::kQ5_K:
      return quantized_row<DType::kQ5_K>(panels, row, width, args.scale, out);
    case DType::kQ6_K:
      return quantized_row<DType::kQ6_K>(panels, row, width, args.scale, out);
    case DType::kMXFP4:
      return quantized_row<DType::kMXFP4>(panels, row, width, args.scale, out);
  }
}

}  // namespace

void embedding(const EmbeddingCpuArgs& args, int rank, int size) {
  auto* const out = static_cast<float*>(args.out.data);
  const int64_t end = args.out.rows * (rank + 1) / size;
  for (int64_t t = args.out.rows * rank / size; t < end; ++t) {
    const int64_t row = int64_t{args.ids[t]} - args.first_id;
    float* const to = out + t * args.out.stride;
    if (row >= 0 && row < args.table.rows) {
      read_row(args, row, to);
    } else {
      for (int64_t i = 0; i < args.out.width; ++i) to[i] = 0.0F;
    }
    if (args.added == nullptr) continue;
    const float* const added = args.added + args.added_rows[t] * args.out.width;
    for (int64_t i = 0; i < args.out.width; ++i) to[i] += added[i];
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
