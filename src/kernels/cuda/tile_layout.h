#pragma once

#include <cstdint>

#include "base/host_device.h"
#include "kernels/packed_weight.h"

namespace caravel::kernels::cuda {

/// How a weight [out, in] lies in a GPU's memory: one form for every number of tokens.
///
/// Eight neighbouring rows make a group; each group is one run of memory, so that a block of threads takes any number
/// of groups as its tile and streams each by bulk copies of whatever length suits it. Along the row a group is cut into
/// units of one block of 64 inputs, or of four for GGUF's super-blocks of 256. `out` is padded to 8 and `in` to 64,
/// with zeros.
///
///   BF16, F16  a unit is the image that wgmma reads from shared memory, K-major with the swizzle of 128 bytes: row r
///   of
///              128 bytes, whose 16-byte chunk c lies at place c ^ r.
///   F8_E4M3    a unit is a block: four words of each lane 4r + q of a warp, its lane_input()s of row r, four of which
///   a
///              word has where f8_bits() puts them. Behind the groups are the rows' f32 scales.
///   F8_E4M3_128
///              a unit is two such blocks, and then the f32 scales of its eight rows.
///   quantised  a unit is the file's bytes of its eight rows in planes, in an order in which lane 4r + q of a warp,
///   which
///              makes inputs 2q and 2q + 1 of each chunk of eight of row r, sixteen in all (lane_input()), has its own
///              side by side:
///                head    blocks of 256 alone: Q4_K, Q5_K 8 x (f16 d, f16 m), 8 x 12 bytes of scales as in the file;
///                        Q6_K 8 x f16 d, 8 x 16 int8 scales
///                then for each block of 64:
///                levels  8 bits: 16 bytes a lane, level + 128 (so unsigned)
///                        else 2 words a lane: word j has its input 8j + 2i at bit 4i and 8j + 2i + 1 at bit 16 + 4i
///                high    5 bits: 16 bits a lane, its input 2i at bit i and 2i + 1 at bit 8 + i
///                        6 bits: 32 bits a lane, its input 2i at bits 2i and 2i + 1 at bits 16 + 2i
///                scales  blocks of 32 alone: for row r and half h at 2r + h: f16 d, or f16 d and f16 m
///   MXFP4      the same; word j of a lane's levels has the codes of its inputs 8j + 2i and 8j + 2i + 1 where
///   e2m1_bits()
///              puts them, and scales are E8M0, a byte each.
///   F32        as in the file, row by row without padding: exact products have a kernel of their own (plain_gemm.cuh).
inline constexpr int kGroupRows = 8;
inline constexpr int kBlockInputs = 64;
inline constexpr int kImageBytes = kGroupRows * kBlockInputs * 2;  // a block of 64 inputs of a group as bf16

struct TileFormat {
  int unit_blocks = 1;  // of 64 inputs
  int unit_bytes = kImageBytes;
};

/// Of any type but F32.
constexpr TileFormat tile_format(DType dtype) {
  switch (dtype) {
    case DType::kF8E4M3:
      return {1, 512};
    case DType::kF8E4M3B128:
      return {2, 1056};
    case DType::kQ4_0:
      return {1, 288};
    case DType::kMXFP4:
      return {1, 272};
    case DType::kQ4_1:
      return {1, 320};
    case DType::kQ5_0:
      return {1, 352};
    case DType::kQ5_1:
      return {1, 384};
    case DType::kQ8_0:
      return {1, 544};
    case DType::kQ4_K:
      return {4, 1152};
    case DType::kQ5_K:
      return {4, 1408};
    case DType::kQ6_K:
      return {4, 1680};
    default:
      return {};
  }
}

template <DType kType>
inline constexpr TileFormat kFormatOf = tile_format(kType);

/// Which rows lie in a part's groups. Of heads that are rotated in halves (HeadRows), groups of the one half and of the
/// other take turns, so that a tile of an even number of groups has both rows of every pair of its rows.
struct GroupOrder {
  int head = 0;  // groups of a head; 0: groups are in the order of their rows
  int half = 0;  // groups that are rotated with as many behind them

  /// Rows 8g .. 8g + 7 of the result lie in group `place`.
  CARAVEL_HOST_DEVICE int rows_at(int place) const {
    if (head == 0) return place;
    const int i = place % head;
    return i < 2 * half ? place - i + i / 2 + i % 2 * half : place;
  }
  CARAVEL_HOST_DEVICE int place_of(int group) const {
    if (head == 0) return group;
    const int i = group % head;
    return i < 2 * half ? group - i + 2 * (i % half) + i / half : group;
  }
};

/// How a part's groups lie.
inline GroupOrder group_order(const HeadRows& heads, DType dtype) {
  constexpr int kPair = 2 * kGroupRows;
  if (dtype == DType::kF32 || heads.rotary_dim == 0) return {};
  if (heads.head_dim % kPair != 0 || heads.rotary_dim % kPair != 0) return {};
  return {.head = heads.head_dim / kGroupRows, .half = heads.rotary_dim / kPair};
}

constexpr int64_t input_blocks(int64_t in) { return (in + kBlockInputs - 1) / kBlockInputs; }
constexpr int64_t row_groups(int64_t rows) { return (rows + kGroupRows - 1) / kGroupRows; }

/// Bytes of a group of rows of `in` elements.
constexpr int64_t group_bytes(DType dtype, int64_t in) {
  const TileFormat format = tile_format(dtype);
  return (input_blocks(in) + format.unit_blocks - 1) / format.unit_blocks * format.unit_bytes;
}

/// Where the scales of a part's rows begin, which begins at `data`; nullptr: its type has none there.
inline const float* row_scales_of(const uint8_t* data, const PackedWeight::Part& part, int64_t in) {
  if (part.dtype != DType::kF8E4M3) return nullptr;
  return reinterpret_cast<const float*>(data + row_groups(part.rows) * group_bytes(part.dtype, in));
}

}  // namespace caravel::kernels::cuda
