#include "cache/block_pool.h"

#include "base/check.h"

namespace caravel::cache {

BlockPool::BlockPool(int blocks) : blocks_(static_cast<size_t>(blocks)) {
  for (BlockId block = 0; block < blocks; ++block) link_back(block);
}

BlockPool::Block& BlockPool::at(BlockId block) {
  CARAVEL_CHECK_LT(static_cast<uint32_t>(block), blocks_.size());
  return blocks_[static_cast<size_t>(block)];
}

const BlockPool::Block& BlockPool::at(BlockId block) const {
  CARAVEL_CHECK_LT(static_cast<uint32_t>(block), blocks_.size());
  return blocks_[static_cast<size_t>(block)];
}

BlockId BlockPool::allocate() {
  CARAVEL_CHECK_GT(free_, 0);
  const BlockId block = front_;
  unlink(block);
  at(block).references = 1;
  return block;
}

void BlockPool::retain(BlockId block) {
  if (at(block).references == 0) unlink(block);
  ++at(block).references;
}

void BlockPool::release(BlockId block) {
  CARAVEL_CHECK_GT(at(block).references, 0);
  if (--at(block).references > 0) return;
  if (at(block).hashed) {
    link_back(block);
  } else {
    link_front(block);
  }
}

void BlockPool::set_hashed(BlockId block, bool hashed) {
  CARAVEL_CHECK_GT(at(block).references, 0);
  at(block).hashed = hashed;
}

void BlockPool::unlink(BlockId block) {
  Block& b = at(block);
  (b.previous == kNoBlock ? front_ : at(b.previous).next) = b.next;
  (b.next == kNoBlock ? back_ : at(b.next).previous) = b.previous;
  b.previous = b.next = kNoBlock;
  --free_;
  cached_ -= b.hashed;
}

void BlockPool::link_front(BlockId block) {
  Block& b = at(block);
  b.next = front_;
  (front_ == kNoBlock ? back_ : at(front_).previous) = block;
  front_ = block;
  ++free_;
  cached_ += b.hashed;
}

void BlockPool::link_back(BlockId block) {
  Block& b = at(block);
  b.previous = back_;
  (back_ == kNoBlock ? front_ : at(back_).next) = block;
  back_ = block;
  ++free_;
  cached_ += b.hashed;
}

void BlockPool::check_integrity() const {
  int walked = 0;
  int cached = 0;
  BlockId previous = kNoBlock;
  for (BlockId block = front_; block != kNoBlock; block = at(block).next) {
    CARAVEL_CHECK_EQ(at(block).previous, previous);
    CARAVEL_CHECK_EQ(at(block).references, 0);
    cached += at(block).hashed;
    CARAVEL_CHECK_LE(++walked, free_);
    previous = block;
  }
  CARAVEL_CHECK_EQ(back_, previous);
  CARAVEL_CHECK_EQ(walked, free_);
  CARAVEL_CHECK_EQ(cached, cached_);
  int unreferenced = 0;
  for (const Block& block : blocks_) {
    CARAVEL_CHECK_GE(block.references, 0);
    unreferenced += block.references == 0;
  }
  CARAVEL_CHECK_EQ(unreferenced, free_);  // none is lost: without a reference means on the list
}

}  // namespace caravel::cache
