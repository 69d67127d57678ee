#pragma once

// Included by the per-ISA sources that have AMX alone: a panel of quantised weights met by many tokens. The tiles'
// integer products are exact and what follows them is quantized_tile's arithmetic in its order, so an output has the
// same bits either way.

#include "kernels/cpu/isa/amx.h"
#include "kernels/cpu/isa/gemm_tile.h"

namespace caravel::kernels::CARAVEL_ISA {

/// Tokens of a tile: with 32 outputs each, their sums fill 24 registers, and eight are left to work with.
constexpr int kAmxTokens = 12;
/// Tokens below which unpacking the levels costs more than the tiles save.
constexpr int kLeastAmxTokens = 11;

/// Blocks that are unpacked together: with a tile's input they stay in the L1 cache.
constexpr int kAmxBlocks = 24;

/// The inputs of a block that share a scale, all 32 or half of them, as the tiles read them.
template <typename Blocks>
struct alignas(64) UnpackedGroup {
  static constexpr int kInputs = 32 / Blocks::kScales;

  int8_t levels[kInputs / 4][2][64];  // as packed_layout.h has them, less their offset
  float scales[2][16];
  float minima[Blocks::kMinima ? 2 : 1][16];
};

template <typename Blocks, int kGroup = 0>
static inline void unpack_levels(const typename Blocks::Block& block, UnpackedGroup<Blocks>* to) {
  constexpr int kFours = UnpackedGroup<Blocks>::kInputs / 4;
  const __m512i offset = _mm512_set1_epi8(static_cast<char>(Blocks::kOffset));
  const auto unpack = [&]<int kHalf>() {
    const Bytes levels = Blocks::template levels<kGroup, kHalf>(block);
    _mm512_store_si512(to[kGroup / kFours].levels[kGroup % kFours][kHalf], _mm512_sub_epi8(levels, offset));
  };
  unpack.template operator()<0>();
  unpack.template operator()<1>();
  if constexpr (kGroup < 7) unpack_levels<Blocks, kGroup + 1>(block, to);
}

template <typename Blocks>
static void unpack_blocks(const uint8_t* panel, int64_t begin, int count, UnpackedGroup<Blocks>* to) {
  constexpr int kScales = Blocks::kScales;
  for (int b = 0; b < count; ++b, to += kScales) {
    const typename Blocks::Block block = Blocks::at(panel, begin + b);
    unpack_levels<Blocks>(block, to);
    const typename Blocks::Head head = Blocks::head(block);
    const auto unpack_scales = [&]<int kHalf>() {
      Floats scale[kScales];
      Floats minimum;
      Blocks::template scales<kHalf>(head, block, scale, minimum);
      for (int s = 0; s < kScales; ++s) store_floats(to[s].scales[kHalf], scale[s]);
      if constexpr (Blocks::kMinima) store_floats(to->minima[kHalf], minimum);
    };
    unpack_scales.template operator()<0>();
    unpack_scales.template operator()<1>();
  }
}

/// The tiles' shapes for panels of these blocks and kTokens tokens.
template <typename Blocks, int kTokens>
static inline void shape_tiles() {
  constexpr int kInputs = UnpackedGroup<Blocks>::kInputs;
  TileShapes shapes;
  for (int i = 0; i < 4; ++i) shapes.set(i, kTokens, 64);
  for (int i = 4; i < 6; ++i) shapes.set(i, kTokens, kInputs);
  for (int i = 6; i < 8; ++i) shapes.set(i, kInputs / 4, 64);
  shapes.use();
}

/// 32 outputs of kTokens tokens over some unpacked blocks, in the shape that shape_tiles gave; quantized_tile's sums,
/// to the bit.
template <typename Blocks, int kTokens>
class AmxTile {
 public:
  using Group = UnpackedGroup<Blocks>;

  /// Blocks b .. b + count - 1 of the inputs. next: weights that will be read after these, which lie as these do and
  /// are asked for beside the arithmetic; or null.
  AmxTile(const Group* groups, int64_t b, int count, const uint8_t* next, const Q8Rows& x)
      : groups_(groups),
        count_(count * Blocks::kScales),
        next_(next),
        q8_(x.q8 + 32 * b),
        scales_(x.scales + b),
        sums_(x.sums + b),
        width_(x.width) {}

  void run(const TileOutput& out) {
    Floats sums[kTokens][2];
#pragma GCC unroll 12
    for (int t = 0; t < kTokens; ++t) {
      sums[t][0] = out.start(t, 0);
      sums[t][1] = out.start(t, 1);
    }
    multiply_group<0>(0);
    store<0, 0>();
    store<0, 1>();
    if (count_ > 1) multiply_group<1>(1);
    for (int g = 0; g < count_; g += 2) {
      step<0>(g, sums);
      if (g + 1 < count_) step<1>(g + 1, sums);
    }
#pragma GCC unroll 12
    for (int t = 0; t < kTokens; ++t) {
      out.finish(t, 0, sums[t][0]);
      out.finish(t, 1, sums[t][1]);
    }
  }

 private:
  // Groups alternate between two sets of tiles and buffers: even ones have kParity 0, odd ones 1.

  template <int kParity, int kHalf>
  void multiply_half(const Group& group) const {
    constexpr int kOut = 2 * kParity + kHalf;
    load_tile<6 + kHalf>(group.levels[0][kHalf], sizeof(group.levels[0]));
    zero_tile<kOut>();
    multiply_tiles_i8<kOut, 4 + kParity, 6 + kHalf>();
  }

  template <int kParity>
  void load_input(int g) const {
    load_tile<4 + kParity>(q8_ + Group::kInputs * g, width_);
  }

  template <int kParity>
  void multiply_group(int g) const {
    load_input<kParity>(g);
    multiply_half<kParity, 0>(groups_[g]);
    multiply_half<kParity, 1>(groups_[g]);
  }

  template <int kParity, int kHalf>
  void store() {
    store_tile<2 * kParity + kHalf>(dots_[kParity][kHalf]);
  }

  /// Scales what was stored of group g, while the tiles of group g + 1 are stored and those of g + 2 multiplied.
  template <int kParity>
  [[gnu::always_inline]] void step(int g, Floats (&sums)[kTokens][2]) {
    const Group& group = groups_[g];
    const Floats scale[2] = {load_floats(group.scales[0]), load_floats(group.scales[1])};
    const int64_t block = g / Blocks::kScales;
    const int64_t row_blocks = width_ / 32;
    int work = 0;
#pragma GCC unroll 12
    for (int t = 0; t < kTokens; ++t) {
      if (work * kTokens <= t * kTileWorks) tile_work<kParity>(work++, g);
      if (next_ != nullptr) {
        for (int i = 64 * t; i < kGroupBytes; i += 64 * kTokens) __builtin_prefetch(next_ + g * kGroupBytes + i, 0, 2);
      }
      const Floats x_scale = broadcast(scales_[block + t * row_blocks]);
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h) {
        const Floats products = dots_to_floats(_mm512_load_si512(dots_[kParity][h][t]));
        sums[t][h] = multiply_add(products, multiply(scale[h], x_scale), sums[t][h]);
      }
      if constexpr (Blocks::kMinima) {
        const Floats x_sum = broadcast(sums_[block + t * row_blocks]);
        sums[t][0] = multiply_add(load_floats(group.minima[0]), x_sum, sums[t][0]);
        sums[t][1] = multiply_add(load_floats(group.minima[1]), x_sum, sums[t][1]);
      }
    }
  }

  /// One of the things that the tiles do during step g. They are spread among the vectors' work, since the processor
  /// looks only so far ahead, and a tile's load or store is dozens of its operations.
  static constexpr int kTileWorks = 5;
  template <int kParity>
  [[gnu::always_inline]] void tile_work(int work, int g) {
    if (work < 2) {
      if (g + 1 >= count_) return;
      if (work == 0) store<1 - kParity, 0>();
      if (work == 1) store<1 - kParity, 1>();
    } else {
      if (g + 2 >= count_) return;
      if (work == 2) load_input<kParity>(g + 2);
      if (work == 3) multiply_half<kParity, 0>(groups_[g + 2]);
      if (work == 4) multiply_half<kParity, 1>(groups_[g + 2]);
    }
  }

  static constexpr int kGroupBytes = Blocks::kMeanBytes / Blocks::kScales;

  const Group* const groups_;
  const int count_;
  const uint8_t* const next_;
  const int8_t* const q8_;
  const float* const scales_;
  const float* const sums_;
  const int64_t width_;
  alignas(64) int32_t dots_[2][2][kTokens][16];  // [parity][half of the rows]
};

}  // namespace caravel::kernels::CARAVEL_ISA
