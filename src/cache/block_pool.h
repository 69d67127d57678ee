#pragma once

#include <cstdint>
#include <vector>

namespace caravel::cache {

/// Index of a physical block: of block_size token slots for every layer of one KV group.
using BlockId = int32_t;
inline constexpr BlockId kNoBlock = -1;

/// A fixed array of equal blocks with reference counts and an intrusive free list, all operations O(1) and without
/// allocation (PagedAttention, Kwon et al. 2023, section 4.2). A block is on the free list exactly when its reference
/// count is 0. A freed block that is hashed (a prefix that may be found again) goes to the back of the list and is
/// reused last, so the back is ordered by last use; one without goes to the front.
class BlockPool {
 public:
  explicit BlockPool(int blocks);

  int size() const { return static_cast<int>(blocks_.size()); }
  int free_blocks() const { return free_; }
  int used_blocks() const { return size() - free_; }
  /// On the free list, but hashed.
  int cached_blocks() const { return cached_; }
  int references(BlockId block) const { return at(block).references; }
  bool hashed(BlockId block) const { return at(block).hashed; }

  /// The front of the free list, with one reference. It may be hashed still: its new owner forgets the old content and
  /// calls set_hashed(block, false). free_blocks() must not be 0.
  BlockId allocate();
  /// One more reference; takes a cached block off the free list.
  void retain(BlockId block);
  /// One reference less; the last one puts the block on the free list.
  void release(BlockId block);
  /// Only of blocks in use.
  void set_hashed(BlockId block, bool hashed);

  /// Walks the free list: links, lengths and counts must agree. Aborts with what does not add up.
  void check_integrity() const;

 private:
  struct Block {
    int32_t references = 0;
    bool hashed = false;
    BlockId previous = kNoBlock;  // neighbours on the free list; kNoBlock at its ends and for blocks in use
    BlockId next = kNoBlock;
  };

  Block& at(BlockId block);
  const Block& at(BlockId block) const;
  void unlink(BlockId block);
  void link_front(BlockId block);
  void link_back(BlockId block);

  std::vector<Block> blocks_;
  BlockId front_ = kNoBlock;
  BlockId back_ = kNoBlock;
  int free_ = 0;
  int cached_ = 0;
};

}  // namespace caravel::cache
