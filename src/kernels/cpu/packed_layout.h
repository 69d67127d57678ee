#pragma once

#include <cstdint>

#include "kernels/block_format.h"

namespace caravel::kernels {

/// How a weight [out, in] is re-laid for the CPU kernels: panels of 32 output rows, each holding all inputs, so that a
/// thread's share of the outputs is one run of memory that it reads once, front to back, in whole cache lines.
///
/// Unquantised: for each input the 32 rows' values. 8-bit floats have before them, for each of row_scales(), the 32
/// rows' scales times kF8ScaleFactor.
///
/// Quantised: for each 32 inputs a block of 16 vectors, vector (g, h) being inputs 4g..4g+3 of rows 16h..16h+15 at a
/// byte a level, row by row: what vpdpbusd wants. They are stored as
///   levels   8 bits: 16 x 64 bytes, (g, h) at 64 (2g + h)
///            else 8 x 64 bytes of nibbles, byte pairs (g, h) low and (g + 4, h) high at 64 (2g + h), g < 4
///   high     5 bits: 2 x 64 bytes, bit g of vector h for (g, h)
///            6 bits: 4 x 64 bytes, bits 2(g % 4) and up of vector 2(g / 4) + h
///   scales   f16 d [32], then f16 m [32] where there are minima; MXFP4's E8M0 [32]; blocks of 256 instead begin with a
///   head, 8 blocks'
///            levels and high bits after it: d [32], and
///            Q4_K, Q5_K: m [32]; per block 32 bytes (low nibbles of scale and minimum) and 16 (two high bits of
///            either, row r in the low and r + 16 in the high nibble) Q6_K: per block int8 scales [2][32]
/// which is the file's size to the byte, but that `out` is padded to 32 with zeros.
inline constexpr int kPanelRows = 32;

template <DType kType>
struct PackedLayout {
  static constexpr QuantFormat kFormat = quant_format(kType);
  static constexpr int kLevelBytes = kFormat.bits == 8 ? 1024 : 512;
  static constexpr int kHighBytes = kFormat.bits == 5 ? 128 : kFormat.bits == 6 ? 256 : 0;
  static constexpr int kScaleBytes = kFormat.super ? 0 : kFormat.minima ? 128 : kFormat.codes ? 32 : 64;
  static constexpr int kHeadScaleBytes = kFormat.minima ? 48 : 64;  // what one block takes in a head
  static constexpr int kHeadScales = kFormat.minima ? 128 : 64;     // where they begin
  static constexpr int kHeadBytes = kFormat.super ? kHeadScales + 8 * kHeadScaleBytes : 0;
  static constexpr int kBlockBytes = kLevelBytes + kHighBytes + kScaleBytes;  // a block's own
  static constexpr int kGroupBlocks = kFormat.super ? 8 : 1;
  static constexpr int kGroupBytes = kHeadBytes + kGroupBlocks * kBlockBytes;
};

/// What turns E4M3's bits read as f16's into the values that they stand for.
inline constexpr float kF8ScaleFactor = 256;

/// Bytes of a panel of `in` inputs: always 32 rows of the file.
inline int64_t panel_bytes(DType dtype, int64_t in) {
  return kPanelRows * (row_bytes(dtype, in) + row_scales(dtype, in) * 4);
}

}  // namespace caravel::kernels
