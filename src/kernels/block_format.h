#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "device/dtype.h"
#include "kernels/half.h"
#include "kernels/mxfp4.h"

namespace caravel::kernels {

static_assert(std::endian::native == std::endian::little, "block formats are read as little-endian words");

/// 32 consecutive inputs of one row, whatever GGUF type they come from. An input's value is
///   scale * (level - kOffset)            Q4_0, Q5_0, Q8_0; Q6_K with a scale for either half
///   scale * level + minimum              Q4_1, Q5_1
///   scale * level - minimum              Q4_K, Q5_K
/// Levels are unsigned, four inputs to a word in their order. `scale` is d, or the super-block's d times a sub-scale.
/// MXFP4 is as Q4_0 is, but has codes in place of levels (kE2M1Levels), and E8M0's bits as d (half_of_e8m0()).
struct QuantBlock {
  uint32_t levels[8];
  uint16_t d = 0;            // f16 bits
  uint16_t m = 0;            // f16 bits: Q4_1 and Q5_1 the minimum, Q4_K and Q5_K what `minimum` multiplies
  int8_t scale[2] = {1, 1};  // sub-scales of the halves; equal but for Q6_K
  uint8_t minimum = 1;
};

/// What differs from type to type.
struct QuantFormat {
  int bits;    // in a level: 4, 5, 6 or 8
  int offset;  // 0 where there are minima
  bool minima;
  bool super;          // blocks of 256: eight QuantBlocks share d and m
  bool codes = false;  // MXFP4's
};

constexpr QuantFormat quant_format(DType dtype) {
  switch (dtype) {
    case DType::kQ4_0:
      return {4, 8, false, false};
    case DType::kQ4_1:
      return {4, 0, true, false};
    case DType::kQ5_0:
      return {5, 16, false, false};
    case DType::kQ5_1:
      return {5, 0, true, false};
    case DType::kQ4_K:
      return {4, 0, true, true};
    case DType::kQ5_K:
      return {5, 0, true, true};
    case DType::kQ6_K:
      return {6, 32, false, true};
    case DType::kMXFP4:
      return {4, kE2M1Offset, false, false, true};
    default:
      return {8, 128, false, false};
  }
}

namespace internal {

inline uint16_t read_u16(const uint8_t* p) {
  uint16_t value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

inline uint32_t read_u32(const uint8_t* p) {
  uint32_t value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

/// Bits 0..3 of `bits` to the lowest bits of four bytes.
inline uint32_t spread_bits(uint32_t bits) { return (bits & 0xfU) * 0x00204081U & 0x01010101U; }

/// Q4_0, Q4_1, Q5_0, Q5_1: byte j of 16 holds inputs j (low nibble) and j + 16.
inline void split_nibbles(const uint8_t* p, uint32_t* levels) {
  for (int g = 0; g < 4; ++g) {
    const uint32_t pair = read_u32(p + 4 * g);
    levels[g] = pair & 0x0f0f0f0fU;
    levels[g + 4] = pair >> 4 & 0x0f0f0f0fU;
  }
}

/// Q5_0, Q5_1: bit j of a word is the fifth bit of input j.
inline void add_fifth_bits(uint32_t bits, uint32_t* levels) {
  for (int g = 0; g < 8; ++g) levels[g] |= spread_bits(bits >> (4 * g)) << 4;
}

/// Q4_K, Q5_K: sub-scale and sub-minimum i of 8, six bits each, in 12 bytes.
inline void read_k_scales(const uint8_t* packed, int i, QuantBlock& block) {
  uint8_t scale;
  if (i < 4) {
    scale = packed[i] & 63;
    block.minimum = packed[i + 4] & 63;
  } else {
    scale = static_cast<uint8_t>((packed[i + 4] & 15) | (packed[i - 4] >> 6) << 4);
    block.minimum = static_cast<uint8_t>(packed[i + 4] >> 4 | (packed[i] >> 6) << 4);
  }
  block.scale[0] = block.scale[1] = static_cast<int8_t>(scale);
}

}  // namespace internal

/// Inputs [32 i, 32 i + 32) of a row that starts at `row`; `kType` is a quantised type.
template <DType kType>
inline QuantBlock read_quant_block(const std::byte* row, int64_t i) {
  using namespace internal;
  constexpr bool kSuper = quant_format(kType).super;
  constexpr int kBytes = kType == DType::kQ4_0    ? 18
                         : kType == DType::kQ4_1  ? 20
                         : kType == DType::kQ5_0  ? 22
                         : kType == DType::kQ5_1  ? 24
                         : kType == DType::kQ8_0  ? 34
                         : kType == DType::kQ4_K  ? 144
                         : kType == DType::kQ5_K  ? 176
                         : kType == DType::kMXFP4 ? 17
                                                  : 210;
  const auto* p = reinterpret_cast<const uint8_t*>(row) + (kSuper ? i / 8 : i) * kBytes;
  const int sub = kSuper ? static_cast<int>(i % 8) : 0;
  QuantBlock block;
  if constexpr (kType == DType::kQ4_0) {
    block.d = read_u16(p);
    split_nibbles(p + 2, block.levels);
  } else if constexpr (kType == DType::kMXFP4) {
    block.d = p[0];
    split_nibbles(p + 1, block.levels);
  } else if constexpr (kType == DType::kQ4_1) {
    block.d = read_u16(p);
    block.m = read_u16(p + 2);
    split_nibbles(p + 4, block.levels);
  } else if constexpr (kType == DType::kQ5_0) {
    block.d = read_u16(p);
    split_nibbles(p + 6, block.levels);
    add_fifth_bits(read_u32(p + 2), block.levels);
  } else if constexpr (kType == DType::kQ5_1) {
    block.d = read_u16(p);
    block.m = read_u16(p + 2);
    split_nibbles(p + 8, block.levels);
    add_fifth_bits(read_u32(p + 4), block.levels);
  } else if constexpr (kType == DType::kQ8_0) {
    block.d = read_u16(p);
    for (int g = 0; g < 8; ++g) block.levels[g] = read_u32(p + 2 + 4 * g) ^ 0x80808080U;
  } else if constexpr (kType == DType::kQ6_K) {
    // Either half of the 256 inputs has 64 bytes of low nibbles, 32 of high bits (two each) and 8 scales, one for 16.
    const int half = sub / 4;
    const int quarter = sub % 4;
    const uint8_t* low = p + 64 * half + 32 * (quarter % 2);
    const uint8_t* high = p + 128 + 32 * half;
    for (int g = 0; g < 8; ++g) {
      const uint32_t nibbles = read_u32(low + 4 * g) >> (quarter / 2 * 4) & 0x0f0f0f0fU;
      block.levels[g] = nibbles | (read_u32(high + 4 * g) >> (2 * quarter) & 0x03030303U) << 4;
    }
    std::memcpy(block.scale, p + 192 + 8 * half + 2 * quarter, 2);
    block.d = read_u16(p + 208);
  } else {
    // Q4_K, Q5_K: 32 bytes hold the nibbles of two sub-blocks; the fifth bit of sub-block i is bit i of 32 bytes.
    constexpr bool kFive = kType == DType::kQ5_K;
    block.d = read_u16(p);
    block.m = read_u16(p + 2);
    read_k_scales(p + 4, sub, block);
    const uint8_t* nibbles = p + (kFive ? 48 : 16) + 32 * (sub / 2);
    for (int g = 0; g < 8; ++g) {
      block.levels[g] = read_u32(nibbles + 4 * g) >> (sub % 2 * 4) & 0x0f0f0f0fU;
      if constexpr (kFive) block.levels[g] |= (read_u32(p + 16 + 4 * g) >> sub & 0x01010101U) << 4;
    }
  }
  return block;
}

/// function.template operator()<DType>() for the quantised type that `dtype` is.
template <typename Function>
void with_quant_type(DType dtype, Function&& function) {
  switch (dtype) {
    case DType::kQ4_0:
      return function.template operator()<DType::kQ4_0>();
    case DType::kQ4_1:
      return function.template operator()<DType::kQ4_1>();
    case DType::kQ5_0:
      return function.template operator()<DType::kQ5_0>();
    case DType::kQ5_1:
      return function.template operator()<DType::kQ5_1>();
    case DType::kQ4_K:
      return function.template operator()<DType::kQ4_K>();
    case DType::kQ5_K:
      return function.template operator()<DType::kQ5_K>();
    case DType::kQ6_K:
      return function.template operator()<DType::kQ6_K>();
    case DType::kMXFP4:
      return function.template operator()<DType::kMXFP4>();
    default:
      return function.template operator()<DType::kQ8_0>();
  }
}

}  // namespace caravel::kernels
