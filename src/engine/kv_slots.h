#pragma once

#include <cstdint>

#include "cache/kv_sequence.h"

namespace caravel::engine {

/// Where position p's keys and values lie in a KV group: block * block_size + offset.
inline int64_t kv_slot(const cache::KvSequence& sequence, int group, int position, int block_size) {
  const cache::BlockId block = sequence.tables[static_cast<size_t>(group)][position / block_size];
  return int64_t{block} * block_size + position % block_size;
}

}  // namespace caravel::engine
