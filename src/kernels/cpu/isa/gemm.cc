#include "kernels/cpu/gemm_args.h"
#include "kernels/cpu/isa/activation.h"
#include "kernels/cpu/isa/gemm_panels.h"
#include "kernels/cpu/isa/gemm_tile.h"
#include "kernels/cpu/isa/output_slice.h"
#if defined(__AMX_INT8__)
#include "kernels/cpu/isa/amx_panel.h"
#endif

namespace caravel::kernels::CARAVEL_ISA {
namespace {

/// Unquantised inputs that many tokens go through together, so that their weights (4 to 16 KiB) stay in the L1 cache.
/// Those of 8 bits are summed by as many, which have a scale.
constexpr int64_t kChunkInputs = 128;

/// Bytes of a panel that are read in the time in which one of its inputs meets a token, about.
constexpr int64_t kTokenBytes = 3;

/// Tokens that a pair of panels meets before the next pair: their sums lie on the stack.
#if defined(__AMX_INT8__)
constexpr int64_t kManyTokens = 16 * kAmxTokens;  // a panel is unpacked again each time
#else
constexpr int64_t kManyTokens = 8 * kTileTokens;
#endif

/// tile<count>(token), where count is kLeast to kMost.
template <int kLeast, int kMost, typename Tile>
inline void sized_tile(int64_t count, int64_t token, const Tile& tile) {
  if constexpr (kMost > kLeast) {
    if (count < kMost) return sized_tile<kLeast, kMost - 1>(count, token, tile);
  }
  tile.template operator()<kMost>(token);
}

/// tile<count>(token) over tiles of near-equal size, at most kMost tokens each; none has fewer than kLeast.
template <int kLeast, int kMost, typename Tile>
inline void for_each_tile(int64_t tokens, const Tile& tile) {
  const int64_t tiles = (tokens + kMost - 1) / kMost;
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t begin = tokens * i / tiles;
    sized_tile<kLeast, kMost>(tokens * (i + 1) / tiles - begin, begin, tile);
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

#if defined(__AMX_INT8__)
template <typename Blocks>
void amx_panel(const PanelInput& x, const uint8_t* panel, const TileOutput& out) {
  UnpackedGroup<Blocks> unpacked[kAmxBlocks * Blocks::kScales];
  const int64_t blocks = x.in / 32;
  for (int64_t begin = 0; begin < blocks; begin += kAmxBlocks) {
    const int count = static_cast<int>(blocks - begin < kAmxBlocks ? blocks - begin : kAmxBlocks);
    unpack_blocks<Blocks>(panel, begin, count, unpacked);
    int shaped = 0;  // for so many tokens
    for_each_tile<kAmxTokens / 2, kAmxTokens>(x.tokens, [&]<int kTokens>(int64_t token) {
      if (shaped != kTokens) shape_tiles<Blocks, kTokens>();
      shaped = kTokens;
      const Q8Rows rows(x.input, x.begin + token);
      const uint8_t* next = token == 0 ? panel + (begin + count) * Blocks::kMeanBytes : nullptr;
      AmxTile<Blocks, kTokens>(unpacked, begin, count, next, rows).run(tile_output(out, token, begin == 0));
    });
  }
  release_tiles();
}
#endif

/// Each tile unpacks the levels in registers for itself: that costs less than storing them unpacked would, and a panel
/// (some 10 KiB per 512 inputs) stays in the L1 or L2 cache.
template <DType kType>
void quantized_panel(const PanelInput& x, const uint8_t* panel, const TileOutput& out) {
#if defined(__AMX_INT8__)
  if (x.tokens >= kLeastAmxTokens) return amx_panel<PackedBlocks<kType>>(x, panel, out);
#endif
  for_each_tile<1, kTileTokens>(x.tokens, [&]<int kTokens>(int64_t token) {
    quantized_tile<PackedBlocks<kType>, kTokens>(panel, x.in / 32, Q8Rows(x.input, x.begin + token),
                                                 tile_output(out, token, true));
  });
}

template <DType kType>
void plain_panel(const PanelInput& x, const uint8_t* panel, const TileOutput& out) {
  constexpr int64_t kInputBytes = kPanelRows * (kType == DType::kF32 ? 4 : 2);
  const int64_t chunk = x.tokens <= kPlainTileTokens ? x.in : kChunkInputs;
  for (int64_t begin = 0; begin < x.in; begin += chunk) {
    const int64_t count = x.in - begin < chunk ? x.in - begin : chunk;
    for_each_tile<1, kPlainTileTokens>(x.tokens, [&]<int kTokens>(int64_t token) {
      plain_tile<kType, kTokens>(panel + begin * kInputBytes, count,
                                 x.input.f32 + (x.begin + token) * x.input.width + begin, x.input.width,
                                 tile_output(out, token, begin == 0));
    });
  }
}

/// scale_count: 1, or one for each chunk.
void f8_panel(const PanelInput& x, const uint8_t* panel, int64_t scale_count, const TileOutput& out) {
  const auto* scales = reinterpret_cast<const float*>(panel);
  const uint8_t* const levels = panel + scale_count * kPanelRows * 4;
  for (int64_t begin = 0; begin < x.in; begin += kChunkInputs) {
    const int64_t count = x.in - begin < kChunkInputs ? x.in - begin : kChunkInputs;
    for_each_tile<1, kPlainTileTokens>(x.tokens, [&]<int kTokens>(int64_t token) {
      f8_tile<kTokens>(levels + begin * kPanelRows, scales, count,
                       x.input.f32 + (x.begin + token) * x.input.width + begin, x.input.width,
                       tile_output(out, token, begin == 0));
    });
    if (scale_count > 1) scales += kPanelRows;
  }
}

/// Rows of panel `p`: 32, or fewer in the last.
int panel_columns(const PackedPart& part, int64_t p) {
  const int64_t rest = part.rows - p * kPanelRows;
  return static_cast<int>(rest < kPanelRows ? rest : kPanelRows);
}

/// Panel `p` of a part; out is at the first of its tokens. Not inlined: its tiles are most of what this file compiles
/// to.
[[gnu::noinline]] void run_panel(const PanelInput& x, const PackedPart& part, int64_t p, const TileOutput& out) {
  const uint8_t* const panel = part.panels + p * part.panel_bytes;
  const auto quantized = [&]<DType kType>() { quantized_panel<kType>(x, panel, out); };
  const auto plain = [&]<DType kType>() { plain_panel<kType>(x, panel, out); };
  const auto f8 = [&](int64_t scale_count) { f8_panel(x, panel, scale_count, out); };
  switch (part.dtype) {
    case DType::kF32:
      return plain.template operator()<DType::kF32>();
    case DType::kF16:
      return plain.template operator()<DType::kF16>();
    case DType::kBF16:
      return plain.template operator()<DType::kBF16>();
    case DType::kF8E4M3:
      return f8(1);
    case DType::kF8E4M3B128:
      return f8(x.in / kChunkInputs);
    case DType::kQ4_0:
      return quantized.template operator()<DType::kQ4_0>();
    case DType::kQ4_1:
      return quantized.template operator()<DType::kQ4_1>();
    case DType::kQ5_0:
      return quantized.template operator()<DType::kQ5_0>();
    case DType::kQ5_1:
      return quantized.template operator()<DType::kQ5_1>();
    case DType::kQ8_0:
      return quantized.template operator()<DType::kQ8_0>();
    case DType::kQ4_K:
      return quantized.template operator()<DType::kQ4_K>();
    case DType::kQ5_K:
      return quantized.template operator()<DType::kQ5_K>();
    case DType::kQ6_K:
      return quantized.template operator()<DType::kQ6_K>();
    case DType::kMXFP4:
      return quantized.template operator()<DType::kMXFP4>();
  }
}

}  // namespace

void run_plain_panels(const PlainPanels& args, int64_t begin, int64_t end) {
  int64_t first = 0;  // where the part's panels begin
  for (int i = 0; i < args.part_count; ++i) {
    const PackedPart& part = args.parts[i];
    const int64_t count = panel_count(part);
    const int64_t from = begin > first ? begin - first : 0;
    const int64_t to = end - first < count ? end - first : count;
    for (int64_t p = from; p < to; ++p) {
      const int64_t column = part.out_begin + p * kPanelRows;
      run_panel(args.x, part, p,
                {args.out + column, args.out_stride, args.bias != nullptr ? args.bias + column : nullptr,
                 panel_columns(part, p), args.accumulate});
    }
    first += count;
  }
}

void run_gated_panels(const GatedPanels& args, int64_t begin, int64_t end) {
  constexpr int64_t kSums = kManyTokens;  // how many sums of a pair of panels are kept
  alignas(64) float sums[kSums][2][kPanelRows];
  const int64_t all_tokens = args.x.tokens;
  const int64_t pairs = all_tokens < kSums ? kSums / all_tokens : 1;
  for (int64_t p = begin; p < end; p += pairs) {
    const int64_t pairs_end = p + pairs < end ? p + pairs : end;
    for (int64_t met = 0; met < all_tokens; met += kSums) {
      const int64_t tokens = all_tokens - met < kSums ? all_tokens - met : kSums;
      const PanelInput x{args.x.in, args.x.input, args.x.begin + met, tokens};
      const auto run_half = [&](const PackedPart& part, int half) {
        for (int64_t q = p; q < pairs_end; ++q) {
          const float* bias = args.bias != nullptr ? args.bias + half * args.out.width + q * kPanelRows : nullptr;
          const int columns = bias != nullptr ? panel_columns(part, q) : kPanelRows;
          run_panel(x, part, q, {sums[(q - p) * tokens][half], 2 * kPanelRows, bias, columns, false});
        }
      };
      run_half(args.gate, 0);
      run_half(args.up, 1);
      for (int64_t q = p; q < pairs_end; ++q) {
        const int columns = panel_columns(args.gate, q);
        auto* const pair = sums + (q - p) * tokens;
        // In two passes: what one token waits for in either, the processor does for some others meanwhile.
        for (int64_t t = 0; t < tokens; ++t) gate(args.activation, pair[t][0], pair[t][1], columns, pair[t][0]);
        for (int64_t t = 0; t < tokens; ++t) {
          store_input_slice(args.out, x.begin + t, q * kPanelRows, columns, pair[t][0]);
        }
      }
    }
  }
}

/// A rank's share is a run of panels of all parts taken together, so that ranks end together.
void gemm(const GemmCpuArgs& args, int rank, int size) {
  const PanelInput x{args.input.width, input_planes(args.input, rank), 0, args.input.tokens};
  const auto cost = [&](const PackedPart& part) { return part.panel_bytes + kTokenBytes * x.in * x.tokens; };
  int64_t total = 0;
  for (int i = 0; i < args.part_count; ++i) total += panel_count(args.parts[i]) * cost(args.parts[i]);
  const auto panel_at = [&](int64_t position) {
    int64_t first = 0;  // where the part's panels begin
    for (int i = 0; i < args.part_count; ++i) {
      const int64_t count = panel_count(args.parts[i]);
      const int64_t each = cost(args.parts[i]);
      if (position < count * each) return first + position / each;
      position -= count * each;
      first += count;
    }
    return first;
  };
  run_plain_panels({args.parts, args.part_count, x, args.bias, args.accumulate, args.out, args.out_stride},
                   panel_at(total * rank / size), panel_at(total * (rank + 1) / size));
}

/// A rank's share is a run of pairs of panels.
void gated_gemm(const GatedGemmCpuArgs& args, int rank, int size) {
  const PanelInput x{args.input.width, input_planes(args.input, rank), 0, args.input.tokens};
  const int64_t panels = panel_count(args.gate);
  run_gated_panels({args.gate, args.up, x, args.bias, args.activation, input_planes(args.out, rank)},
                   panels * rank / size, panels * (rank + 1) / size);
}

/// A rank's share is a run of panels, whose sums of some tokens at a time stay in the L1 cache.
void activated_gemm(const ActivatedGemmCpuArgs& args, int rank, int size) {
  constexpr int64_t kSums = 2 * kManyTokens;
  alignas(64) float sums[kSums][kPanelRows];
  alignas(64) float values[kPanelRows];
  const InputPlanes input = input_planes(args.input, rank);
  const InputPlanes out = input_planes(args.out, rank);
  const int64_t all_tokens = args.input.tokens;
  const int64_t panels = panel_count(args.weight);
  const int64_t end = panels * (rank + 1) / size;
  for (int64_t p = panels * rank / size; p < end; ++p) {
    const int columns = panel_columns(args.weight, p);
    const float* bias = args.bias != nullptr ? args.bias + p * kPanelRows : nullptr;
    for (int64_t begin = 0; begin < all_tokens; begin += kSums) {
      const int64_t tokens = all_tokens - begin < kSums ? all_tokens - begin : kSums;
      const PanelInput x{input.width, input, begin, tokens};
      run_panel(x, args.weight, p, {sums[0], kPanelRows, bias, bias != nullptr ? columns : kPanelRows, false});
      for (int64_t t = 0; t < tokens; ++t) {
        activate(args.activation, sums[t], columns, values);
        store_input_slice(out, begin + t, p * kPanelRows, columns, values);
      }
    }
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
