#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "cache/block_pool.h"

namespace caravel::cache {

/// Finds full blocks by what they hold: a chain hash over (all tokens before, the block's tokens, the salt, the KV
/// group). Equal hashes are not enough: the tokens are compared before a block is returned. An open-addressing table
/// of fixed size; nothing is allocated after construction.
class PrefixIndex {
 public:
  /// `seed` starts every chain; a random one keeps collisions from being made up outside.
  PrefixIndex(int blocks, int block_size, uint64_t seed);

  /// The chain before the first block of a prompt.
  Hash128 root(std::string_view salt) const;
  /// The chain after a block that holds `tokens` [block_size] and follows `parent`. The same in every KV group.
  static Hash128 extend(Hash128 parent, std::span<const int32_t> tokens);

  /// The block of KV group `group` that holds `tokens` after `parent`; kNoBlock when there is none. `chain` is
  /// extend(parent, tokens).
  BlockId find(Hash128 parent, Hash128 chain, std::span<const int32_t> tokens, int group) const;
  /// False, and nothing changes, when another block holds the same already.
  bool insert(BlockId block, Hash128 parent, Hash128 chain, std::span<const int32_t> tokens, int group);
  /// Forgets a block that was inserted.
  void erase(BlockId block);

  int size() const { return size_; }
  bool contains(BlockId block) const { return entries_[static_cast<size_t>(block)].group >= 0; }

  /// Every entry is found where its hash says, and holds a hash made of what it stores. Aborts otherwise.
  void check_integrity() const;

 private:
  struct Entry {  // one for each block
    Hash128 key;  // chain, with the group mixed in
    Hash128 parent;
    int32_t group = -1;  // -1: not in the index
  };

  static Hash128 key_of(Hash128 chain, int group);
  size_t home(Hash128 key) const { return key.low & mask_; }
  /// The bucket that holds the key, or the empty one where it would go.
  size_t probe(Hash128 key) const;
  std::span<const int32_t> tokens_of(BlockId block) const;

  int block_size_;
  uint64_t seed_;
  size_t mask_;
  int size_ = 0;
  std::vector<Entry> entries_;    // [blocks]
  std::vector<int32_t> tokens_;   // [blocks, block_size]
  std::vector<BlockId> buckets_;  // a power of two, at most half full; kNoBlock: empty
};

}  // namespace caravel::cache
