#pragma once

#include "base/host_device.h"
#include "kernels/cuda/tile_inputs.cuh"
#include "kernels/cuda/tile_plan.h"

/// Weights of a slot, kSourceBlocks blocks of 64 inputs of some groups, on their way into the registers that wgmma
/// takes its rows from: two groups make the sixteen rows of a warp.
namespace caravel::kernels::cuda {

__device__ inline uint32_t bf16_pair(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}

/// A block's: of each sixteen inputs what add_product() takes.
using Fragments = uint32_t[4][4];

/// Types whose levels lie alike, each named by one of them; scales come from elsewhere (write_scales()).
enum class LevelKind {
  kFour,
  kFive,
  kSix,
  kEight,
  kE2M1,
  kScaledFloat8,
  kFloat8,  // whose scales sums get
  kHalf,
  kBf16,
};

CARAVEL_HOST_DEVICE constexpr bool has_block_scales(LevelKind kind) { return kind <= LevelKind::kScaledFloat8; }

CARAVEL_HOST_DEVICE constexpr LevelKind level_kind(DType dtype) {
  switch (dtype) {
    case DType::kQ4_0:
    case DType::kQ4_1:
    case DType::kQ4_K:
      return LevelKind::kFour;
    case DType::kQ5_0:
    case DType::kQ5_1:
    case DType::kQ5_K:
      return LevelKind::kFive;
    case DType::kQ6_K:
      return LevelKind::kSix;
    case DType::kQ8_0:
      return LevelKind::kEight;
    case DType::kMXFP4:
      return LevelKind::kE2M1;
    case DType::kF8E4M3B128:
      return LevelKind::kScaledFloat8;
    case DType::kF8E4M3:
      return LevelKind::kFloat8;
    case DType::kF16:
      return LevelKind::kHalf;
    default:
      return LevelKind::kBf16;
  }
}

/// function.template operator()<DType>() for any type but F32.
template <typename Function>
__device__ inline void with_tile_type(DType dtype, Function&& function) {
  switch (dtype) {
    case DType::kBF16:
      return function.template operator()<DType::kBF16>();
    case DType::kF16:
      return function.template operator()<DType::kF16>();
    case DType::kF8E4M3:
      return function.template operator()<DType::kF8E4M3>();
    case DType::kF8E4M3B128:
      return function.template operator()<DType::kF8E4M3B128>();
    default:
      return with_quant_tile(dtype, static_cast<Function&&>(function));
  }
}

/// Bytes that a slot has of a group.
template <DType kType>
constexpr int kSlotGroupBytes = kSourceBlocks / kFormatOf<kType>.unit_blocks * kFormatOf<kType>.unit_bytes;

/// Where a block's levels begin there.
template <DType kType>
CARAVEL_HOST_DEVICE constexpr int levels_begin(int block) {
  constexpr TileFormat kFormat = kFormatOf<kType>;
  const int unit = block / kFormat.unit_blocks * kFormat.unit_bytes;
  if constexpr (kType == DType::kF8E4M3B128) return unit + block % kFormat.unit_blocks * kF8BlockBytes;
  if constexpr (level_kind(kType) < LevelKind::kScaledFloat8) {
    using Tile = QuantTile<kType>;
    return unit + Tile::kHeadBytes + block % kFormat.unit_blocks * Tile::kBlockBytes;
  }
  return unit;
}

/// A value that bf16 has, as bf16 in either half of a word.
__device__ inline float twice(float value) { return __uint_as_float(__byte_perm(__float_as_uint(value), 0, 0x3232)); }

/// What LaneWeights takes of the rows of a warp's group `half` of two: of each block of a slot, for each row, two
/// scales, either followed by what is added to its products with biased levels; of Q6_K four scales, of F8_E4M3_128
/// one, of MXFP4 two as bf16, each twice in a word; nothing where a type has none. `group`: its bytes of the slot.
/// Scales of a lane's rows are there after the warp's next __syncwarp().
template <DType kType>
__device__ inline void write_scales(const uint8_t* group, int half, int lane, float4* scales) {
  if constexpr (has_block_scales(level_kind(kType))) {
    const int row = lane / kSourceBlocks;
    const int block = lane % kSourceBlocks;
    float4& to = scales[scale_place(block, half, row)];
    const uint8_t* const unit = group + block / kFormatOf<kType>.unit_blocks * kFormatOf<kType>.unit_bytes;
    if constexpr (kType == DType::kF8E4M3B128) {
      to.x = f8_scale<kType>(unit, nullptr, row);
    } else {
      using Tile = QuantTile<kType>;
      const BlockScales of = block_scales<kType>(unit, block % Tile::kFormat.unit_blocks, row);
      if constexpr (Tile::kCodes) {
        to.x = twice(of.scale[0]);
        to.z = twice(of.scale[1]);
        return;
      }
      to = Tile::kScales == 4 ? make_float4(of.scale[0], of.scale[1], of.scale[2], of.scale[3])
                              : make_float4(of.scale[0], __fmaf_rn(-Tile::kBias, of.scale[0], of.minimum[0]),
                                            of.scale[1], __fmaf_rn(-Tile::kBias, of.scale[1], of.minimum[1]));
    }
  }
}

/// What a lane has of a block of one of its warp's groups, on its way into registers of wgmma or mma.
template <LevelKind kKind>
struct LaneWeights {
  static constexpr int kBits = kKind == LevelKind::kFour   ? 4
                               : kKind == LevelKind::kFive ? 5
                               : kKind == LevelKind::kSix  ? 6
                                                           : 8;
  LaneLevels<kBits> levels;

  /// Ahead of time. `at`: where the block's levels begin, of that group.
  __device__ void load(const uint8_t* at, int lane) { levels.load(at, lane); }

  /// As group `half` of the warp's two. `scales`: the block's, of the lane's row.
  __device__ void fill(const float4* scales, int half, int lane, Fragments& fragments) const {
    const float4 all = *scales;
    float biased[16];
    levels.biased(biased);
    const float four[4] = {all.x, all.y, all.z, all.w};
#pragma unroll
    for (int c = 0; c < 8; ++c) {
      float scale;
      float minimum;
      if constexpr (kKind == LevelKind::kSix) {
        scale = four[c / 2];
        minimum = -QuantTile<DType::kQ6_K>::kBias * scale;
      } else {
        scale = four[c / 4 * 2];
        minimum = four[c / 4 * 2 + 1];
      }
      fragments[c / 2][c % 2 * 2 + half] =
          bf16_pair(__fmaf_rn(scale, biased[2 * c], minimum), __fmaf_rn(scale, biased[2 * c + 1], minimum));
    }
  }
};

template <>
struct LaneWeights<LevelKind::kE2M1> {
  uint2 words;

  __device__ void load(const uint8_t* at, int lane) { words = *reinterpret_cast<const uint2*>(at + 8 * lane); }
  __device__ void fill(const float4* scales, int half, int, Fragments& fragments) const {
    const uint32_t of_halves[2] = {__float_as_uint(scales->x), __float_as_uint(scales->z)};
    uint32_t pairs[8];
    sixteen_e2m1(words, pairs);
#pragma unroll
    for (int c = 0; c < 8; ++c) fragments[c / 2][c % 2 * 2 + half] = product_pair(pairs[c], of_halves[c / 4]);
  }
};

template <LevelKind kKind>
  requires(kKind == LevelKind::kFloat8 || kKind == LevelKind::kScaledFloat8)
struct LaneWeights<kKind> {
  uint4 words;

  __device__ void load(const uint8_t* at, int lane) { words = *reinterpret_cast<const uint4*>(at + 16 * lane); }
  __device__ void fill(const float4* scales, int half, int, Fragments& fragments) const {
    uint32_t pairs[8];
    f8_pairs(words.x, pairs[0], pairs[1]);
    f8_pairs(words.y, pairs[2], pairs[3]);
    f8_pairs(words.z, pairs[4], pairs[5]);
    f8_pairs(words.w, pairs[6], pairs[7]);
#pragma unroll
    for (int c = 0; c < 8; ++c) {
      uint32_t& to = fragments[c / 2][c % 2 * 2 + half];
      to = pairs[c];
      if constexpr (kKind == LevelKind::kScaledFloat8) {
        const float scale = scales->x;
        to = bf16_pair(__fmul_rn(scale, __uint_as_float(pairs[c] << 16)),
                       __fmul_rn(scale, __uint_as_float(pairs[c] & 0xffff0000U)));
      }
    }
  }
};

/// Of 16 bits: pairs of an image.
template <LevelKind kKind>
  requires(kKind >= LevelKind::kHalf)
struct LaneWeights<kKind> {
  const uint8_t* image;

  __device__ void load(const uint8_t* at, int) { image = at; }
  __device__ void fill(const float4*, int half, int lane, Fragments& fragments) const {
#pragma unroll
    for (int c = 0; c < 8; ++c) {
      const uint32_t pair = *reinterpret_cast<const uint32_t*>(image + image_offset(lane / 4, c) + 4 * (lane % 4));
      uint32_t& to = fragments[c / 2][c % 2 * 2 + half];
      if constexpr (kKind == LevelKind::kBf16) {
        to = pair;
      } else {
        const float2 values = __half22float2(*reinterpret_cast<const __half2*>(&pair));
        to = bf16_pair(values.x, values.y);
      }
    }
  }
};

}  // namespace caravel::kernels::cuda
