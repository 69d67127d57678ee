#pragma once

#include <cstdint>

#include "kernels/kv_cache.h"
#include "kernels/paged_attention.h"

namespace caravel::model {

inline constexpr int kMaxKvGroups = 64;

/// One step's input, in fixed device buffers that a rank owns.
struct ForwardBatch {
  int64_t tokens = 0;
  int num_seqs = 0;
  const int32_t* token_ids = nullptr;    // [tokens]
  const int32_t* positions = nullptr;    // [tokens]
  const int32_t* query_start = nullptr;  // [num_seqs + 1]
  const int32_t* context_len = nullptr;  // [num_seqs]
  const int32_t* table_rows = nullptr;   // [num_seqs]: the slot that has a sequence's block tables
  int64_t max_context = 0;               // max(context_len)
  struct Group {
    const int64_t* slots = nullptr;          // [tokens]
    const int32_t* block_table = nullptr;    // [slots, block_table_stride]
    const int32_t* shared_blocks = nullptr;  // [num_seqs]: see AttentionBatch; or nullptr
  };
  Group groups[kMaxKvGroups] = {};  // by KvLayout::groups
  int64_t block_table_stride = 0;

  /// Whether attention is told what rows have in common.
  bool shares() const { return groups[0].shared_blocks != nullptr; }
};

/// The pool's memory: block b starts at base + b * layout.block_bytes(); a group's i-th layer lies at i * layer_bytes.
struct KvPool {
  std::byte* base = nullptr;
  int block_size = 16;
  kernels::KvDtype dtype = kernels::KvDtype::kF16;
};

}  // namespace caravel::model
