#pragma once

#include <cstdint>

#include "kernels/cpu/isa/tile.h"
#include "kernels/cpu/packed_layout.h"

namespace caravel::kernels::CARAVEL_ISA {

/// Reads a panel of packed weights of one type (packed_layout.h), block by block of 32 inputs.
template <DType kType>
struct PackedBlocks {
  using Layout = PackedLayout<kType>;
  static constexpr int kBits = Layout::kFormat.bits;
  static constexpr bool kCodes = Layout::kFormat.codes;
  static constexpr int kMax = kCodes ? 24 : (1 << kBits) - 1;
  static constexpr int kOffset = Layout::kFormat.offset;
  static constexpr bool kMinima = Layout::kFormat.minima;
  static constexpr bool kSuper = Layout::kFormat.super;
  static constexpr int kScales = kType == DType::kQ6_K ? 2 : 1;  // for a block's 32 inputs
  static constexpr int kMeanBytes = Layout::kGroupBytes / Layout::kGroupBlocks;

  struct Block {
    const uint8_t* levels;
    const uint8_t* head;  // the super-block's
    int sub;              // which of its blocks this is
  };

  static int64_t panel_bytes(int64_t in) { return in / (32 * Layout::kGroupBlocks) * Layout::kGroupBytes; }

  static Block at(const uint8_t* panel, int64_t b) {
    const uint8_t* group = panel + b / Layout::kGroupBlocks * Layout::kGroupBytes;
    const int sub = static_cast<int>(b % Layout::kGroupBlocks);
    return {group + Layout::kHeadBytes + sub * Layout::kBlockBytes, group, sub};
  }

  /// Inputs 4g..4g+3 of rows 16h..16h+15.
  template <int g, int h>
  static Bytes levels(const Block& block) {
    if constexpr (kBits == 8) {
      return load_bytes(block.levels + 64 * (2 * g + h));
    } else {
      const Bytes pair = load_bytes(block.levels + 64 * (2 * (g % 4) + h));
      const Bytes low = g < 4 ? low_nibbles(pair) : high_nibbles(pair);
      const uint8_t* high = block.levels + Layout::kLevelBytes;
      if constexpr (kBits == 5) return merge_bits<4 - g, 0x10>(low, load_bytes(high + 64 * h));
      if constexpr (kBits == 6) return merge_bits<4 - 2 * (g % 4), 0x30>(low, load_bytes(high + 64 * (g / 4 * 2 + h)));
      if constexpr (kCodes) return look_up(low, kE2M1Levels);
      return low;
    }
  }

  /// What the scales and minima of all blocks of a super-block are multiplied by: of rows 16h..16h+15.
  struct Head {
    Floats d[2], m[2];
  };
  static Head head(const Block& block) {
    Head head;
    if constexpr (Layout::kFormat.super) {
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h) {
        head.d[h] = load_halves(block.head + 32 * h);
        if constexpr (kMinima) head.m[h] = load_halves(block.head + 64 + 32 * h);
      }
    }
    return head;
  }

  /// Scales of rows 16h..16h+15 and what is added per unit of input, for the halves of the block.
  template <int h>
  static void scales(const Head& head, const Block& block, Floats (&scale)[kScales], Floats& minimum) {
    if constexpr (!Layout::kFormat.super) {
      const uint8_t* scales = block.levels + Layout::kLevelBytes + Layout::kHighBytes;
      if constexpr (kCodes) {
        scale[0] = half_powers(widen_u8(scales + 16 * h));
      } else {
        scale[0] = load_halves(scales + 32 * h);
      }
      if constexpr (kMinima) minimum = load_halves(scales + 64 + 32 * h);
    } else {
      const uint8_t* scales = block.head + Layout::kHeadScales + Layout::kHeadScaleBytes * block.sub;
      if constexpr (kMinima) {
        const Ints low = widen_u8(scales + 16 * h);
        const Ints high = widen_u8(scales + 32);
        scale[0] = multiply(head.d[h], to_floats(join_bits(bits_of<0, 15>(low), bits_of<4 * h, 3>(high))));
        minimum = negate(multiply(head.m[h], to_floats(join_bits(bits_of<4, 15>(low), bits_of<4 * h + 2, 3>(high)))));
      } else {
        scale[0] = multiply(head.d[h], to_floats(widen_i8(scales + 16 * h)));
        scale[1] = multiply(head.d[h], to_floats(widen_i8(scales + 32 + 16 * h)));
      }
    }
  }
};

}  // namespace caravel::kernels::CARAVEL_ISA
