#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "kernels/cuda/tile_layout.h"

namespace caravel::kernels::cuda {

/// Of a quantised type: how a unit of tile_layout.h is cut. The names are those of kernels/block_format.h.
template <DType kType>
struct QuantTile {
  static constexpr bool kSuper = kType == DType::kQ4_K || kType == DType::kQ5_K || kType == DType::kQ6_K;
  static constexpr bool kMinima =
      kType == DType::kQ4_1 || kType == DType::kQ5_1 || kType == DType::kQ4_K || kType == DType::kQ5_K;
  static constexpr int kBits = kType == DType::kQ8_0                                                     ? 8
                               : kType == DType::kQ6_K                                                   ? 6
                               : kType == DType::kQ4_0 || kType == DType::kQ4_1 || kType == DType::kQ4_K ? 4
                                                                                                         : 5;
  // What sixteen_inputs() adds to a level: a power of two, behind whose mantissa the level stands, and what makes it
  // unsigned. So few bits that a product with a scale is exact.
  static constexpr float kBias = (kBits == 8 ? 32768.0F : 128.0F) + (kMinima ? 0.0F : float{1 << (kBits - 1)});
  static constexpr int kHeadBytes = !kSuper ? 0 : kMinima ? 128 : 144;
  static constexpr int kHeadScales = kMinima ? 32 : 16;  // where sub-scales begin in a head
  static constexpr int kLevelBytes = kBits == 8 ? 512 : 256;
  static constexpr int kHighBytes = kBits == 5 ? 64 : kBits == 6 ? 128 : 0;
  static constexpr int kScaleBytes = kSuper ? 0 : kMinima ? 64 : 32;
  static constexpr int kBlockBytes = kLevelBytes + kHighBytes + kScaleBytes;
  static constexpr TileFormat kFormat = tile_format(kType);
  static_assert(kFormat.unit_bytes == kHeadBytes + kFormat.unit_blocks * kBlockBytes);
  static_assert(kFormat.unit_bytes % 16 == 0);  // what bulk copies take
};

/// Sixteen neighbours along a row: scale * (biased - QuantTile::kBias) + minimum each.
struct SixteenInputs {
  float biased[16];
  float scale;
  float minimum;
};

__device__ inline float half_value(const uint8_t* at) { return __half2float(*reinterpret_cast<const __half*>(at)); }

/// Of less than 2^23; conversions are slow.
__device__ inline float small_value(uint32_t value) { return __uint_as_float(0x4b000000U | value) - 8388608.0F; }

/// What lane `lane` = 4r + q has of block `block` of a unit, in shared or global memory: inputs 16q .. 16q + 15 of the
/// block, of row r. Levels, scales and minima have the values, to the bit, that dequantize_rows() takes.
template <DType kType>
__device__ inline SixteenInputs sixteen_inputs(const uint8_t* unit, int block, int lane) {
  using Tile = QuantTile<kType>;
  const uint8_t* const levels = unit + Tile::kHeadBytes + block * Tile::kBlockBytes;
  const uint8_t* const high = levels + Tile::kLevelBytes;
  SixteenInputs inputs;
  if constexpr (Tile::kBits == 8) {
    // A byte behind 15 bits of 2^15's mantissa.
    const uint4 four = *reinterpret_cast<const uint4*>(levels + 16 * lane);
    const uint32_t words[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      inputs.biased[i] = __uint_as_float(__byte_perm(words[i / 4], 0x47000000U, 0x7404U | i % 4 << 4));
    }
  } else {
    // Up to six bits behind one of 2^7's: the upper half of the float is all there is of it.
    const auto biased = [](uint32_t bytes, int byte) {
      return __uint_as_float(__byte_perm(bytes, 0x43000000U, 0x7044U | byte << 8));
    };
    const uint2 two = *reinterpret_cast<const uint2*>(levels + 8 * lane);
    if constexpr (Tile::kBits == 4) {
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        const uint32_t word = j == 0 ? two.x : two.y;
        const uint32_t nibbles[2] = {word & 0x0f0f0f0fU, word >> 4 & 0x0f0f0f0fU};
#pragma unroll
        for (int i = 0; i < 8; ++i) {
          inputs.biased[8 * j + i] = biased(nibbles[i / 2 % 2], i % 2 * 2 + i / 4);
        }
      }
    } else {
      uint32_t top;
      if constexpr (Tile::kBits == 5) {
        const uint32_t bits = *reinterpret_cast<const uint16_t*>(high + 2 * lane);
        top = (bits & 0xffU) | (bits & 0xff00U) << 8;
      } else {
        top = *reinterpret_cast<const uint32_t*>(high + 4 * lane);
      }
#pragma unroll
      for (int p = 0; p < 8; ++p) {
        uint32_t pair = (p < 4 ? two.x : two.y) >> (4 * (p % 4)) & 0x000f000fU;
        if constexpr (Tile::kBits == 5) pair |= (top >> p & 0x00010001U) << 4;
        if constexpr (Tile::kBits == 6) pair |= (top >> (2 * p) & 0x00030003U) << 4;
        inputs.biased[2 * p] = biased(pair, 0);
        inputs.biased[2 * p + 1] = biased(pair, 2);
      }
    }
  }
  inputs.minimum = 0.0F;
  if constexpr (!Tile::kSuper) {
    const uint8_t* const scales = high + Tile::kHighBytes + lane / 2 * (Tile::kMinima ? 4 : 2);
    inputs.scale = half_value(scales);
    if constexpr (Tile::kMinima) inputs.minimum = half_value(scales + 2);
  } else if constexpr (Tile::kMinima) {
    const int row = lane / 4;
    const auto* const packed = reinterpret_cast<const uint32_t*>(unit + Tile::kHeadScales) + 3 * row;
    // Sub-block s of the first four has its six bits in byte s of words 0 and 1; of the others, four in a byte of word
    // 2 and two above those of sub-block s - 4.
    const int shift = block % 2 * 16 + lane % 4 / 2 * 8;
    uint32_t scale = packed[0] >> shift;
    uint32_t minimum = packed[1] >> shift;
    if (block < 2) {
      scale &= 63U;
      minimum &= 63U;
    } else {
      const uint32_t low = packed[2] >> shift;
      scale = (low & 15U) | (scale >> 2 & 0x30U);
      minimum = (low >> 4 & 15U) | (minimum >> 2 & 0x30U);
    }
    inputs.scale = half_value(unit + 4 * row) * small_value(scale);
    inputs.minimum = -(half_value(unit + 4 * row + 2) * small_value(minimum));
  } else {
    const int row = lane / 4;
    const auto scale = static_cast<int8_t>(unit[Tile::kHeadScales + 16 * row + 4 * block + lane % 4]);
    inputs.scale = half_value(unit + 2 * row) * static_cast<float>(scale);
  }
  return inputs;
}

/// At which byte of its word neighbour `i` of four E4M3 floats lies (tile_layout.h).
__device__ inline int f8_byte(int i) { return 0x2031 >> (4 * i) & 3; }

/// Of four E4M3 floats, in the order in which they lie in a word of tile_layout.h, either two neighbours as bf16,
/// exact. Their bits moved to where bf16 has an exponent's and a mantissa's are values 2^120 too small, denormal ones
/// too.
__device__ inline void f8_pairs(uint32_t word, uint32_t& first, uint32_t& second) {
  const auto pair = [](uint32_t high_bytes, uint32_t moved) {
    const uint32_t bits = (high_bytes & 0x80008000U) | (moved & 0x07f007f0U);
    const __nv_bfloat162 value = __hmul2(reinterpret_cast<const __nv_bfloat162&>(bits),
                                         __nv_bfloat162(__ushort_as_bfloat16(0x7b80), __ushort_as_bfloat16(0x7b80)));
    return reinterpret_cast<const uint32_t&>(value);
  };
  first = pair(word, word >> 4);
  second = pair(word << 8, word << 4);
}

/// What lane 4r + q has of a block of F8_E4M3 or F8_E4M3_128, as pairs of bf16 without their scale.
__device__ inline void sixteen_f8(const uint8_t* levels, int lane, uint32_t (&pairs)[8]) {
  const uint4 four = *reinterpret_cast<const uint4*>(levels + 16 * lane);
  f8_pairs(four.x, pairs[0], pairs[1]);
  f8_pairs(four.y, pairs[2], pairs[3]);
  f8_pairs(four.z, pairs[4], pairs[5]);
  f8_pairs(four.w, pairs[6], pairs[7]);
}

/// One of them: input `place` of the block of 64, of a row, without its scale.
__device__ inline float f8_value(const uint8_t* levels, int64_t row, int place) {
  const int lane = static_cast<int>(row % kGroupRows) * 4 + place / 16;
  const uint32_t bits = levels[16 * lane + place % 16 / 4 * 4 + f8_byte(place % 4)];
  return __uint_as_float((bits & 0x80U) << 24 | (bits & 0x7fU) << 20) * 0x1p120F;
}

/// Where a unit of F8_E4M3_128 has the scales of its rows.
inline constexpr int kF8ScalesBegin = 1024;
inline constexpr int kF8BlockBytes = 512;

/// The scale of a row of 8-bit floats for what `unit` has of it; `row_scales`: behind the part's groups.
template <DType kType>
__device__ inline float f8_scale(const uint8_t* unit, const float* row_scales, int64_t row) {
  if constexpr (kType == DType::kF8E4M3) return row_scales[row];
  return reinterpret_cast<const float*>(unit + kF8ScalesBegin)[row % kGroupRows];
}

/// Where chunk `chunk` of 16 bytes of row `row` lies in an image.
__device__ inline int image_offset(int row, int chunk) { return row * 128 + ((chunk ^ row) << 4); }

/// function.template operator()<DType>() for the quantised type that `dtype` is.
#pragma nv_exec_check_disable
template <typename Function>
__host__ __device__ inline void with_quant_tile(DType dtype, Function&& function) {
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
    default:
      return function.template operator()<DType::kQ8_0>();
  }
}

}  // namespace caravel::kernels::cuda
