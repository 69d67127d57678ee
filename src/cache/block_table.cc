#include "cache/block_table.h"

#include <utility>

#include "base/check.h"

namespace caravel::cache {

BlockId BlockTable::replace(int i, BlockId block) {
  CARAVEL_CHECK_GE(i, begin_);
  CARAVEL_CHECK_LT(i, size());
  return std::exchange(blocks_[static_cast<size_t>(i)], block);
}

BlockId BlockTable::drop_front() {
  CARAVEL_CHECK_LT(begin_, size());
  return std::exchange(blocks_[static_cast<size_t>(begin_++)], kNoBlock);
}

void BlockTable::start_after(int count) {
  CARAVEL_CHECK_EQ(size(), 0);
  blocks_.assign(static_cast<size_t>(count), kNoBlock);
  begin_ = count;
}

void BlockTable::clear() {
  blocks_.clear();
  begin_ = 0;
}

void BlockTable::copy_from(const BlockTable& other) {
  blocks_.assign(other.blocks_.begin(), other.blocks_.end());
  begin_ = other.begin_;
}

}  // namespace caravel::cache
