#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "base/host_device.h"
#include "kernels/cuda/tile_layout.h"

namespace caravel::kernels::cuda {

/// Of a quantised type: how a unit of tile_layout.h is cut. The names are those of kernels/block_format.h.
template <DType kType>
struct QuantTile {
  static constexpr bool kSuper = kType == DType::kQ4_K || kType == DType::kQ5_K || kType == DType::kQ6_K;
  static constexpr bool kMinima =
      kType == DType::kQ4_1 || kType == DType::kQ5_1 || kType == DType::kQ4_K || kType == DType::kQ5_K;
  static constexpr bool kCodes = kType == DType::kMXFP4;  // of E2M1, in place of levels
  static constexpr int kBits = kType == DType::kQ8_0                                                               ? 8
                               : kType == DType::kQ6_K                                                             ? 6
                               : kCodes || kType == DType::kQ4_0 || kType == DType::kQ4_1 || kType == DType::kQ4_K ? 4
                                                                                                                   : 5;
  // What LaneLevels::biased() adds to a level: a power of two, behind whose mantissa the level stands, and what makes
  // it unsigned. So few bits that a product with a scale is exact.
  static constexpr float kBias = (kBits == 8 ? 32768.0F : 128.0F) + (kMinima ? 0.0F : float{1 << (kBits - 1)});
  static constexpr int kScales = kType == DType::kQ6_K ? 4 : 2;  // of a block of 64
  static constexpr int kHeadBytes = !kSuper ? 0 : kMinima ? 128 : 144;
  static constexpr int kHeadScales = kMinima ? 32 : 16;  // where sub-scales begin in a head
  static constexpr int kLevelBytes = kBits == 8 ? 512 : 256;
  static constexpr int kHighBytes = kBits == 5 ? 64 : kBits == 6 ? 128 : 0;
  static constexpr int kScaleBytes = kSuper ? 0 : kMinima ? 64 : kCodes ? 16 : 32;
  static constexpr int kBlockBytes = kLevelBytes + kHighBytes + kScaleBytes;
  static constexpr TileFormat kFormat = tile_format(kType);
  static_assert(kFormat.unit_bytes == kHeadBytes + kFormat.unit_blocks * kBlockBytes);
  static_assert(kFormat.unit_bytes % 16 == 0);  // what bulk copies take
};

/// What scales a block of 64 inputs of a row: its parts of 32, or of 16 (Q6_K), in order.
struct BlockScales {
  float scale[4];
  float minimum[2];
};

__device__ inline float half_value(const uint8_t* at) { return __half2float(*reinterpret_cast<const __half*>(at)); }

/// Byte `byte` of `bytes`; conversions are slow.
__device__ inline float byte_value(uint32_t bytes, int byte) {
  return __uint_as_float(__byte_perm(bytes, 0x4b000000U, 0x7440U | byte)) - 8388608.0F;
}

/// 2^(bits - 127), which is what E8M0's bits mean, as bf16, which has all of them; 255 is infinity (device/dtype.h).
__device__ inline uint32_t e8m0_bf16(uint32_t bits) { return bits == 0 ? 0x40U : bits << 7; }

/// Of block `block` of a unit, in shared or global memory, with the values, to the bit, that dequantize_rows() takes.
template <DType kType>
__device__ inline BlockScales block_scales(const uint8_t* unit, int block, int row) {
  using Tile = QuantTile<kType>;
  BlockScales scales = {};
  if constexpr (Tile::kCodes) {
    const uint8_t* const bits = unit + block * Tile::kBlockBytes + Tile::kLevelBytes + 2 * row;
    for (int i = 0; i < 2; ++i) scales.scale[i] = __uint_as_float(e8m0_bf16(bits[i]) << 16);
  } else if constexpr (!Tile::kSuper) {
    const auto* const words =
        reinterpret_cast<const uint32_t*>(unit + block * Tile::kBlockBytes + Tile::kLevelBytes + Tile::kHighBytes) +
        row * (Tile::kMinima ? 2 : 1);
    const auto half_of = [&](int i) {
      return __half2float(__ushort_as_half(static_cast<uint16_t>(words[i / 2] >> (i % 2 * 16))));
    };
    for (int i = 0; i < 2; ++i) {
      scales.scale[i] = half_of(Tile::kMinima ? 2 * i : i);
      if constexpr (Tile::kMinima) scales.minimum[i] = half_of(2 * i + 1);
    }
  } else if constexpr (Tile::kMinima) {
    // Sub-block s of the first four has its six bits in byte s of words 0 and 1; of the others, four in a byte of word
    // 2 and two above those of sub-block s - 4. No branches: lanes of a warp are at different blocks.
    const auto* const packed = reinterpret_cast<const uint16_t*>(unit + Tile::kHeadScales + 12 * row) + block % 2;
    const uint32_t low_scale = packed[0];
    const uint32_t low_minimum = packed[2];
    const uint32_t rest = packed[4];
    const bool late = block >= 2;
    const uint32_t mask = late ? 0x0f0fU : 0x3f3fU;
    const uint32_t above = late ? 0x3030U : 0U;
    const uint32_t scale = ((late ? rest : low_scale) & mask) | (low_scale >> 2 & above);
    const uint32_t minimum = ((late ? rest >> 4 : low_minimum) & mask) | (low_minimum >> 2 & above);
    const float2 factors = __half22float2(*reinterpret_cast<const __half2*>(unit + 4 * row));
    for (int i = 0; i < 2; ++i) {
      scales.scale[i] = factors.x * byte_value(scale, i);
      scales.minimum[i] = -(factors.y * byte_value(minimum, i));
    }
  } else {
    const uint32_t four = *reinterpret_cast<const uint32_t*>(unit + Tile::kHeadScales + 16 * row + 4 * block);
    const float d = half_value(unit + 2 * row);
    for (int i = 0; i < 4; ++i) scales.scale[i] = d * static_cast<float>(static_cast<int8_t>(four >> (8 * i)));
  }
  return scales;
}

/// Of two bf16 each, rounded to bf16; denormal ones too.
__device__ inline uint32_t product_pair(uint32_t a, uint32_t b) {
  const __nv_bfloat162 product =
      __hmul2(reinterpret_cast<const __nv_bfloat162&>(a), reinterpret_cast<const __nv_bfloat162&>(b));
  return reinterpret_cast<const uint32_t&>(product);
}

/// Which input of a block of 64 lane 4r + q has as its i-th of sixteen: two neighbours of each chunk of eight, as
/// tensor cores want a row's pairs.
CARAVEL_HOST_DEVICE constexpr int lane_input(int q, int i) { return i / 2 * 8 + 2 * q + i % 2; }

/// A lane's sixteen levels of a block as they lie in it. `levels`: where the block's begin, in shared or global memory.
template <int kBits>
struct LaneLevels {
  uint32_t words[kBits == 8 ? 4 : 2];
  uint32_t top;  // of 5 and 6 bits

  __device__ void load(const uint8_t* levels, int lane) {
    if constexpr (kBits == 8) {
      const uint4 four = *reinterpret_cast<const uint4*>(levels + 16 * lane);
      words[0] = four.x;
      words[1] = four.y;
      words[2] = four.z;
      words[3] = four.w;
    } else {
      const uint2 two = *reinterpret_cast<const uint2*>(levels + 8 * lane);
      words[0] = two.x;
      words[1] = two.y;
      const uint8_t* const high = levels + 256;
      if constexpr (kBits == 5) top = *reinterpret_cast<const uint16_t*>(high + 2 * lane);
      if constexpr (kBits == 6) top = *reinterpret_cast<const uint32_t*>(high + 4 * lane);
    }
  }

  /// Its levels 2 pair and 2 pair + 1, each with QuantTile::kBias but for what makes it unsigned.
  __device__ float2 biased(int pair) const {
    const int p = pair % 4;
    if constexpr (kBits == 8) {
      // A byte behind 15 bits of 2^15's mantissa.
      const auto value = [&](int byte) {
        return __uint_as_float(__byte_perm(words[pair / 2], 0x47000000U, 0x7404U | byte << 4));
      };
      return make_float2(value(p % 2 * 2), value(p % 2 * 2 + 1));
    }
    // Up to six bits behind one of 2^7's: the upper half of the float is all there is of it.
    const auto value = [](uint32_t bytes, int byte) {
      return __uint_as_float(__byte_perm(bytes, 0x43000000U, 0x7044U | byte << 8));
    };
    if constexpr (kBits == 4) {
      const uint32_t nibbles = words[pair / 4] >> (p % 2 * 4) & 0x0f0f0f0fU;
      return make_float2(value(nibbles, p / 2), value(nibbles, 2 + p / 2));
    } else {
      uint32_t two = words[pair / 4] >> (4 * p) & 0x000f000fU;
      if constexpr (kBits == 5) two |= (((top & 0xffU) | (top & 0xff00U) << 8) >> pair & 0x00010001U) << 4;
      if constexpr (kBits == 6) two |= (top >> (2 * pair) & 0x00030003U) << 4;
      return make_float2(value(two, 0), value(two, 2));
    }
  }
};

/// The codes of E2M1 (sign, two bits of exponent, one of mantissa) of two neighbours, the i-th of four such pairs of a
/// word: as few shifts as possible bring sign and size to where bf16 has its sign and the ends of exponent and
/// mantissa.
CARAVEL_HOST_DEVICE constexpr uint32_t e2m1_bits(int i, uint32_t even, uint32_t odd) {
  const auto sign = [](uint32_t code) { return code >> 3; };
  const auto size = [](uint32_t code) { return code & 7U; };
  switch (i) {
    case 0:
      return sign(even) << 15 | size(even) << 6 | sign(odd) << 31 | size(odd) << 22;
    case 1:
      return sign(even) << 21 | size(even) << 12 | sign(odd) << 5 | size(odd) << 28;
    case 2:
      return sign(even) << 9 | size(even) | sign(odd) << 25 | size(odd) << 16;
    default:
      return sign(even) << 11 | size(even) >> 1 << 3 | (even & 1U) << 10 | sign(odd) << 27 | size(odd) >> 1 << 19 |
             (odd & 1U) << 26;
  }
}

/// The i-th pair of such a word as bf16, exact. Its bits there are values 2^126 too small, denormal ones too.
__device__ inline uint32_t e2m1_pair(uint32_t word, int i) {
  constexpr uint32_t kBits = 0x81c081c0U;
  const uint32_t bits = i == 0   ? word & kBits
                        : i == 1 ? __funnelshift_r(word, word, 6) & kBits
                        : i == 2 ? word << 6 & kBits
                                 : (word << 4 & 0x81808180U) | (word >> 4 & 0x00400040U);
  return product_pair(bits, 0x7e807e80U);
}

/// What lane 4r + q has of a block of MXFP4.
struct LaneE2M1 {
  uint2 words;

  __device__ void load(const uint8_t* levels, int lane) { words = *reinterpret_cast<const uint2*>(levels + 8 * lane); }
  /// Its inputs 2 pair and 2 pair + 1 as bf16 without their scale.
  __device__ uint32_t bf16(int pair) const { return e2m1_pair(pair < 4 ? words.x : words.y, pair % 4); }
};

/// The codes of E4M3 of two neighbours, the i-th of two such pairs of a word, as e2m1_bits() has those of E2M1.
CARAVEL_HOST_DEVICE constexpr uint32_t f8_bits(int i, uint32_t even, uint32_t odd) {
  const auto bits = [i](uint32_t code) {
    const uint32_t sign = code >> 7;
    const uint32_t size = code & 127U;
    return i == 0 ? sign << 15 | size << 4 : sign << 11 | size >> 4 << 12 | (size & 15U);
  };
  return bits(even) | bits(odd) << 16;
}

/// The i-th pair of such a word as bf16, exact. Its bits there are values 2^120 too small, denormal ones too.
__device__ inline uint32_t f8_pair(uint32_t word, int i) {
  const uint32_t bits = i == 0 ? word & 0x87f087f0U : (word << 4 & 0x80f080f0U) | (word >> 4 & 0x07000700U);
  return product_pair(bits, 0x7b807b80U);
}

/// Element `i` of two of bf16.
__device__ inline float value_of_pair(uint32_t pair, int i) {
  return __uint_as_float(i == 0 ? pair << 16 : pair & 0xffff0000U);
}

/// What lane 4r + q has of a block of F8_E4M3 or F8_E4M3_128.
struct LaneFloat8 {
  uint4 words;

  __device__ void load(const uint8_t* levels, int lane) { words = *reinterpret_cast<const uint4*>(levels + 16 * lane); }
  /// Its inputs 2 pair and 2 pair + 1 as bf16 without their scale.
  __device__ uint32_t bf16(int pair) const {
    const uint32_t word = pair < 2 ? words.x : pair < 4 ? words.y : pair < 6 ? words.z : words.w;
    return f8_pair(word, pair % 2);
  }
};

/// One of them: input `place` of the block of 64, of a row, without its scale.
__device__ inline float f8_value(const uint8_t* levels, int64_t row, int place) {
  const int lane = static_cast<int>(row % kGroupRows) * 4 + place % 8 / 2;
  const int i = place / 8 * 2 + place % 2;  // of the lane's: lane_input()
  return value_of_pair(f8_pair(reinterpret_cast<const uint32_t*>(levels)[4 * lane + i / 4], i % 4 / 2), i % 2);
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
__host__ __device__ __forceinline__ void with_quant_tile(DType dtype, Function&& function) {
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

}  // namespace caravel::kernels::cuda
