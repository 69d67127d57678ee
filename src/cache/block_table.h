#pragma once

#include <cstddef>
#include <vector>

#include "cache/block_pool.h"

namespace caravel::cache {

/// Where a sequence's tokens lie in one KV group: entry i is the block of positions [i * block_size, (i+1) *
/// block_size), or kNoBlock when a sliding window has passed it. Only names blocks; KvManager counts the references.
class BlockTable {
 public:
  /// Room for `entries` without allocation.
  void reserve(int entries) { blocks_.reserve(static_cast<size_t>(entries)); }

  /// Entries, those passed by the window included.
  int size() const { return static_cast<int>(blocks_.size()); }
  /// The first entry that still has a block; size() when none has.
  int begin() const { return begin_; }
  BlockId operator[](int i) const { return blocks_[static_cast<size_t>(i)]; }
  const BlockId* data() const { return blocks_.data(); }

  void append(BlockId block) { blocks_.push_back(block); }
  /// Another block in place of entry i, which has one; returns the old one (copy-on-write, swap).
  BlockId replace(int i, BlockId block);
  /// Takes the block of entry begin() out, leaves kNoBlock there, and returns it.
  BlockId drop_front();
  /// `count` entries that the window has passed already, in an empty table.
  void start_after(int count);
  void clear();
  void copy_from(const BlockTable& other);

 private:
  std::vector<BlockId> blocks_;
  int begin_ = 0;
};

}  // namespace caravel::cache
