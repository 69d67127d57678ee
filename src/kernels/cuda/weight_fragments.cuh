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

/// A block's: of each sixteen inputs what add_product() and multiply_add() take.
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
__device__ __forceinline__ void with_tile_type(DType dtype, Function&& function) {
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
      } else {
        to = Tile::kScales == 4 ? make_float4(of.scale[0], of.scale[1], of.scale[2], of.scale[3])
                                : make_float4(of.scale[0], __fmaf_rn(-Tile::kBias, of.scale[0], of.minimum[0]),
                                              of.scale[1], __fmaf_rn(-Tile::kBias, of.scale[1], of.minimum[1]));
      }
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

  /// Inputs 2 pair and 2 pair + 1 of the lane's sixteen. `scales`: the block's, of the lane's row.
  __device__ uint32_t bf16(int pair, const float4& scales, int) const {
    const float four[4] = {scales.x, scales.y, scales.z, scales.w};
    constexpr bool kSix = kKind == LevelKind::kSix;
    const float scale = kSix ? four[pair / 2] : four[pair / 4 * 2];
    const float added = kSix ? -QuantTile<DType::kQ6_K>::kBias * scale : four[pair / 4 * 2 + 1];
    const float2 biased = levels.biased(pair);
    return bf16_pair(__fmaf_rn(scale, biased.x, added), __fmaf_rn(scale, biased.y, added));
  }
};

template <>
struct LaneWeights<LevelKind::kE2M1> : LaneE2M1 {
  __device__ uint32_t bf16(int pair, const float4& scales, int) const {
    return product_pair(LaneE2M1::bf16(pair), __float_as_uint(pair < 4 ? scales.x : scales.z));
  }
};

template <LevelKind kKind>
  requires(kKind == LevelKind::kFloat8 || kKind == LevelKind::kScaledFloat8)
struct LaneWeights<kKind> : LaneFloat8 {
  __device__ uint32_t bf16(int pair, const float4& scales, int) const {
    const uint32_t two = LaneFloat8::bf16(pair);
    if constexpr (kKind == LevelKind::kFloat8) return two;
    return bf16_pair(__fmul_rn(scales.x, value_of_pair(two, 0)), __fmul_rn(scales.x, value_of_pair(two, 1)));
  }
};

/// Of 16 bits: pairs of an image.
template <LevelKind kKind>
  requires(kKind >= LevelKind::kHalf)
struct LaneWeights<kKind> {
  const uint8_t* image;

  __device__ void load(const uint8_t* at, int) { image = at; }
  __device__ uint32_t bf16(int pair, const float4&, int lane) const {
    const uint32_t two = *reinterpret_cast<const uint32_t*>(image + image_offset(lane / 4, pair) + 4 * (lane % 4));
    if constexpr (kKind == LevelKind::kBf16) return two;
    const float2 values = __half22float2(*reinterpret_cast<const __half2*>(&two));
    return bf16_pair(values.x, values.y);
  }
};

/// A block's scales of the lane's row in group `half`, as write_scales() left them; nothing where a type has none.
template <LevelKind kKind>
__device__ inline float4 read_scales(const float4* scales, int block, int half, int lane) {
  if constexpr (has_block_scales(kKind)) return scales[scale_place(block, half, lane / 4)];
  return {};
}

/// Of sixteen inputs, the k-th of a block's four, what products take of the lane's rows of the warp's groups.
template <LevelKind kKind, int kHalves>
__device__ inline void make_fragment(const LaneWeights<kKind> (&weights)[kHalves], const float4 (&scales)[kHalves],
                                     int k, int lane, uint32_t (&fragment)[4]) {
#pragma unroll
  for (int pair = 0; pair < 2; ++pair) {
#pragma unroll
    for (int half = 0; half < kHalves; ++half) {
      fragment[2 * pair + half] = weights[half].bf16(2 * k + pair, scales[half], lane);
    }
  }
}

}  // namespace caravel::kernels::cuda
