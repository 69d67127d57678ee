#include "kernels/cpu/isa/gemm_tile.h"

namespace caravel::kernels::CARAVEL_ISA {
namespace {

/// Unquantised inputs that many tokens go through together, so that their weights (8 or 16 KiB) stay in the L1 cache.
constexpr int64_t kChunkInputs = 128;

/// tile<count>(token) over tiles of near-equal size, at most kMost tokens each.
template <int kMost, typename Tile>
inline void for_each_tile(int64_t tokens, const Tile& tile) {
  const int64_t tiles = (tokens + kMost - 1) / kMost;
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t begin = tokens * i / tiles;
    switch (tokens * (i + 1) / tiles - begin) {
      case 1:
        tile.template operator()<1>(begin);
        break;
      case 2:
        if constexpr (kMost >= 2) tile.template operator()<2>(begin);
        break;
      case 3:
        if constexpr (kMost >= 3) tile.template operator()<3>(begin);
        break;
      case 4:
        if constexpr (kMost >= 4) tile.template operator()<4>(begin);
        break;
      case 5:
        if constexpr (kMost >= 5) tile.template operator()<5>(begin);
        break;
      default:
        if constexpr (kMost >= 6) tile.template operator()<6>(begin);
        break;
    }
  }
}

/// A tile's part of a panel's output; but for the `first` chunk of inputs it goes on from what lies there.
TileOutput tile_output(const TileOutput& panel, int64_t token, bool first) {
  TileOutput tile = panel;
  tile.out += token * panel.stride;
  if (!first) {
    tile.bias = nullptr;
    tile.accumulate = true;
  }
  return tile;
}

/// Levels are unpacked in registers for each tile anew: that costs less than storing them unpacked would, and a panel
/// (some 10 KiB per 512 inputs) stays in the L1 or L2 cache.
template <DType kType>
void quantized_panel(const GemmCpuArgs& args, const uint8_t* panel, const TileOutput& out) {
  for_each_tile<kTileTokens>(args.tokens, [&]<int kTokens>(int64_t token) {
    quantized_tile<PackedBlocks<kType>, kTokens>(panel, args.in / 32, Q8Rows(args.input, token),
                                                 tile_output(out, token, true));
  });
}

template <DType kType>
void plain_panel(const GemmCpuArgs& args, const uint8_t* panel, const TileOutput& out) {
  constexpr int64_t kInputBytes = kPanelRows * (kType == DType::kF32 ? 4 : 2);
  const int64_t chunk = args.tokens <= kPlainTileTokens ? args.in : kChunkInputs;
  for (int64_t begin = 0; begin < args.in; begin += chunk) {
    const int64_t count = args.in - begin < chunk ? args.in - begin : chunk;
    for_each_tile<kPlainTileTokens>(args.tokens, [&]<int kTokens>(int64_t token) {
      plain_tile<kType, kTokens>(panel + begin * kInputBytes, count, args.input.f32 + token * args.in + begin, args.in,
                                 tile_output(out, token, begin == 0));
    });
  }
}

/// Panels [begin, end) of a part.
template <typename Panel>
void for_each_panel(const GemmCpuArgs& args, const PackedPart& part, int64_t begin, int64_t end, int64_t panel_bytes,
                    const Panel& run) {
  for (int64_t p = begin; p < end; ++p) {
    const int64_t rest = part.rows - p * kPanelRows;
    const int64_t column = part.out_begin + p * kPanelRows;
    const TileOutput out{args.out + column, args.out_stride, args.bias != nullptr ? args.bias + column : nullptr,
                         static_cast<int>(rest < kPanelRows ? rest : kPanelRows), args.accumulate};
    run(args, part.panels + p * panel_bytes, out);
  }
}

template <DType kType>
void quantized_part(const GemmCpuArgs& args, const PackedPart& part, int64_t begin, int64_t end) {
  for_each_panel(args, part, begin, end, PackedBlocks<kType>::panel_bytes(args.in), quantized_panel<kType>);
}

template <DType kType>
void plain_part(const GemmCpuArgs& args, const PackedPart& part, int64_t begin, int64_t end) {
  const int64_t bytes = args.in * kPanelRows * (kType == DType::kF32 ? 4 : 2);
  for_each_panel(args, part, begin, end, bytes, plain_panel<kType>);
}

void run_part(const GemmCpuArgs& args, const PackedPart& part, int64_t begin, int64_t end) {
  switch (part.dtype) {
    case DType::kF32:
      return plain_part<DType::kF32>(args, part, begin, end);
    case DType::kF16:
      return plain_part<DType::kF16>(args, part, begin, end);
    case DType::kBF16:
      return plain_part<DType::kBF16>(args, part, begin, end);
    case DType::kQ4_0:
      return quantized_part<DType::kQ4_0>(args, part, begin, end);
    case DType::kQ4_1:
      return quantized_part<DType::kQ4_1>(args, part, begin, end);
    case DType::kQ5_0:
      return quantized_part<DType::kQ5_0>(args, part, begin, end);
    case DType::kQ5_1:
      return quantized_part<DType::kQ5_1>(args, part, begin, end);
    case DType::kQ8_0:
      return quantized_part<DType::kQ8_0>(args, part, begin, end);
    case DType::kQ4_K:
      return quantized_part<DType::kQ4_K>(args, part, begin, end);
    case DType::kQ5_K:
      return quantized_part<DType::kQ5_K>(args, part, begin, end);
    case DType::kQ6_K:
      return quantized_part<DType::kQ6_K>(args, part, begin, end);
  }
}

}  // namespace

/// A rank's share is a run of panels of all parts taken together.
void gemm(const GemmCpuArgs& args, int rank, int size) {
  int64_t panels = 0;
  for (int i = 0; i < args.part_count; ++i) panels += (args.parts[i].rows + kPanelRows - 1) / kPanelRows;
  const int64_t begin = panels * rank / size;
  const int64_t end = panels * (rank + 1) / size;
  int64_t first = 0;  // of the part's panels
  for (int i = 0; i < args.part_count; ++i) {
    const PackedPart& part = args.parts[i];
    const int64_t count = (part.rows + kPanelRows - 1) / kPanelRows;
    const int64_t from = begin > first ? begin - first : 0;
    const int64_t to = end - first < count ? end - first : count;
    if (from < to) run_part(args, part, from, to);
    first += count;
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
