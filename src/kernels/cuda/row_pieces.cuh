#pragma once

#include <cstdint>

#include "kernels/cuda/common.cuh"

namespace caravel::kernels::cuda {

/// Elements that a thread takes side by side; the shares, and so the sums, depend on the width alone.
inline constexpr int kPiece = 4;
inline constexpr int kMostRowThreads = 1024;

/// Of a block that has a row.
inline int row_threads(int64_t width) {
  const int64_t threads = (width + kPiece * kWarp - 1) / (kPiece * kWarp) * kWarp;
  return static_cast<int>(threads < kMostRowThreads ? threads : kMostRowThreads);
}

/// Whether rows consist of whole pieces, each of which is one access.
template <typename T>
bool in_pieces(const T* rows, int64_t stride) {
  return stride % kPiece == 0 && reinterpret_cast<uintptr_t>(rows) % (kPiece * sizeof(T)) == 0;
}

/// Up to `count` elements, and zeros behind them; whole: all of the piece, in one access.
template <typename T>
__device__ __forceinline__ void load_piece(const T* from, int count, bool whole, float (&piece)[kPiece]) {
  if (!whole) {
#pragma unroll
    for (int j = 0; j < kPiece; ++j) piece[j] = j < count ? to_float(from[j]) : 0.0F;
  } else if constexpr (sizeof(T) == sizeof(float)) {
    const float4 four = *reinterpret_cast<const float4*>(from);
    piece[0] = four.x, piece[1] = four.y, piece[2] = four.z, piece[3] = four.w;
  } else {
    const uint2 four = *reinterpret_cast<const uint2*>(from);
    const float2 low = unpack_pair<T>(four.x);
    const float2 high = unpack_pair<T>(four.y);
    piece[0] = low.x, piece[1] = low.y, piece[2] = high.x, piece[3] = high.y;
  }
}

template <typename T>
__device__ __forceinline__ void store_piece(T* to, int count, bool whole, const float (&piece)[kPiece]) {
  if (!whole) {
#pragma unroll
    for (int j = 0; j < kPiece; ++j) {
      if (j < count) to[j] = from_float<T>(piece[j]);
    }
  } else if constexpr (sizeof(T) == sizeof(float)) {
    *reinterpret_cast<float4*>(to) = make_float4(piece[0], piece[1], piece[2], piece[3]);
  } else {
    *reinterpret_cast<uint2*>(to) = make_uint2(pack_pair<T>(piece[0], piece[1]), pack_pair<T>(piece[2], piece[3]));
  }
}

/// function(i) for where the thread's pieces of a row begin.
template <typename Function>
__device__ __forceinline__ void for_pieces(int width, Function function) {
  for (int i = static_cast<int>(threadIdx.x) * kPiece; i < width; i += static_cast<int>(blockDim.x) * kPiece) {
    function(i);
  }
}

/// function(i, count) for where the thread's pieces of a row begin and what they have of it, all threads together.
template <typename Function>
__device__ __forceinline__ void for_pieces_together(int width, Function function) {
  const int step = static_cast<int>(blockDim.x) * kPiece;
  for (int begin = 0; begin < width; begin += step) {
    const int i = begin + static_cast<int>(threadIdx.x) * kPiece;
    function(i, max(0, min(kPiece, width - i)));
  }
}

}  // namespace caravel::kernels::cuda
