#pragma once

#include <cstdint>
#include <vector>

#include "base/hash.h"
#include "cache/block_table.h"

namespace caravel::cache {

/// A sequence as the cache knows it: its block tables. Belongs to the KvManager that it was registered with, which
/// alone changes it.
struct KvSequence {
  std::vector<BlockTable> tables;  // [KV groups]
  bool on_host = false;            // swapped out: the tables name blocks of the host pool
  uint64_t filling = 0;            // goes up when the tables are filled anew: with a prefix, a parent's or moved blocks

  Hash128 chain;           // prefix hash of the first `chained_blocks` blocks
  int chained_blocks = 0;  // full blocks that were offered to the prefix index
  int registered_at = -1;  // place in the manager's list of live sequences; -1: not registered
};

}  // namespace caravel::cache
