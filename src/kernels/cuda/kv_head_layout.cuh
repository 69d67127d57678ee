#pragma once

#include <cstdint>

#include "kernels/kv_cache.h"

namespace caravel::kernels::cuda {

/// Where a GPU keeps the keys and values of one layer inside a block: for each KV head its keys, then its values, then,
/// for kInt8, the f32 scales of the keys [block_size] and of the values [block_size]. Keys and values lie by rows,
/// [block_size] of row_bytes each, which is a multiple of 16: what pads a row is zeros.
struct KvHeadLayout {
  int row_bytes = 0;
  int values = 0;      // byte of a head's part where they begin
  int scales = 0;      // the same
  int head_bytes = 0;  // what one KV head takes of a block
};

__host__ __device__ constexpr int kv_element_bytes(KvDtype dtype) {
  return dtype == KvDtype::kF32 ? 4 : dtype == KvDtype::kInt8 || dtype == KvDtype::kFp8 ? 1 : 2;
}

__host__ __device__ constexpr KvHeadLayout kv_head_layout(int block_size, int head_dim, KvDtype dtype) {
  const int row_bytes = (head_dim * kv_element_bytes(dtype) + 15) / 16 * 16;
  const int values = block_size * row_bytes;
  const int scales = 2 * values;
  const int scale_bytes = dtype == KvDtype::kInt8 ? 2 * block_size * static_cast<int>(sizeof(float)) : 0;
  return {row_bytes, values, scales, (scales + scale_bytes + 15) / 16 * 16};
}

/// The same where values are the first elements of the keys, and lie there alone: rows [block_size], then, for kInt8,
/// of each two f32 scales, of the value's elements and of the others, which a norm does not bound.
__host__ __device__ constexpr KvHeadLayout shared_head_layout(int block_size, int head_dim, KvDtype dtype) {
  const int row_bytes = (head_dim * kv_element_bytes(dtype) + 15) / 16 * 16;
  const int scales = block_size * row_bytes;
  const int scale_bytes = dtype == KvDtype::kInt8 ? 2 * block_size * static_cast<int>(sizeof(float)) : 0;
  return {row_bytes, 0, scales, (scales + scale_bytes + 15) / 16 * 16};
}

}  // namespace caravel::kernels::cuda
