#pragma once

#include <cstdint>

#include "kernels/kv_cache.h"

namespace caravel::kernels {

/// Where a CPU keeps the keys and values of one layer inside a block: for each KV head its keys, then its values, then,
/// for kInt8, the f32 scales of the keys [block_size] and of the values [block_size].
/// Keys lie transposed in groups of positions, [block_size / group][head_dim][group], so that one vector holds the same
/// element of consecutive positions and a dot product needs no sum across lanes. Values lie by rows,
/// [block_size][value_stride]; what pads a row is never used. Functions here are static because the per-ISA sources
/// include them.
struct KvHeadLayout {
  int group = 0;           // positions side by side: 16, or the largest power of two that divides block_size
  int value_stride = 0;    // elements: head_dim rounded up to 16
  int64_t scales = 0;      // byte of a head's part where they begin
  int64_t head_bytes = 0;  // what one KV head takes of a block
};

static inline KvHeadLayout kv_head_layout(int block_size, int head_dim, KvDtype dtype) {
  const int power = block_size & -block_size;
  const int value_stride = (head_dim + 15) / 16 * 16;
  const int element_bytes = dtype == KvDtype::kF32 ? 4 : dtype == KvDtype::kInt8 ? 1 : 2;
  const int64_t scales = static_cast<int64_t>(block_size) * (head_dim + value_stride) * element_bytes;
  return {power < 16 ? power : 16, value_stride, scales, scales + (dtype == KvDtype::kInt8 ? 8 * block_size : 0)};
}

/// Which element of a head's part holds key element `d` of position `offset` in the block; the next `d` is `group`
/// further.
static inline int64_t key_element(const KvHeadLayout& layout, int head_dim, int offset, int d) {
  return (static_cast<int64_t>(offset / layout.group) * head_dim + d) * layout.group + offset % layout.group;
}

/// At which element of a head's part the values of position `offset` in the block begin.
static inline int64_t value_element(const KvHeadLayout& layout, int block_size, int head_dim, int offset) {
  return static_cast<int64_t>(block_size) * head_dim + static_cast<int64_t>(offset) * layout.value_stride;
}

/// The same where values are the first elements of the keys: for each KV head rows [block_size][stride], then, for
/// kInt8, two f32 scales a row [block_size][2]: of the value's elements and of the others, which a norm does not bound.
/// What pads a row is never used.
struct SharedRowLayout {
  int stride = 0;          // elements: head_dim rounded up to 16
  int64_t scales = 0;      // byte of a head's part where they begin
  int64_t head_bytes = 0;  // what one KV head takes of a block
};

static inline SharedRowLayout shared_row_layout(int block_size, int head_dim, KvDtype dtype) {
  const int stride = (head_dim + 15) / 16 * 16;
  const int element_bytes = dtype == KvDtype::kF32 ? 4 : dtype == KvDtype::kInt8 ? 1 : 2;
  const int64_t scales = static_cast<int64_t>(block_size) * stride * element_bytes;
  return {stride, scales, scales + (dtype == KvDtype::kInt8 ? 8 * block_size : 0)};
}

static inline int value_elements(const KvLayer& cache) {
  return cache.value_dim > 0 ? cache.value_dim : cache.head_dim;
}

}  // namespace caravel::kernels
