#include "cache/block_pool.h"

#include <gtest/gtest.h>

#include <vector>

namespace caravel::cache {
namespace {

TEST(BlockPool, HandsOutEveryBlockOnce) {
  BlockPool pool(5);
  std::vector<bool> seen(5, false);
  for (int i = 0; i < 5; ++i) {
    const BlockId block = pool.allocate();
    EXPECT_FALSE(seen[static_cast<size_t>(block)]);
    seen[static_cast<size_t>(block)] = true;
    EXPECT_EQ(pool.references(block), 1);
    pool.check_integrity();
  }
  EXPECT_EQ(pool.free_blocks(), 0);
  EXPECT_EQ(pool.used_blocks(), 5);
}

TEST(BlockPool, ABlockIsFreeWhenItsLastReferenceGoes) {
  BlockPool pool(2);
  const BlockId block = pool.allocate();
  pool.retain(block);
  pool.release(block);
  EXPECT_EQ(pool.free_blocks(), 1);
  pool.release(block);
  EXPECT_EQ(pool.free_blocks(), 2);
  pool.check_integrity();
}

TEST(BlockPool, ReusesUnhashedFirstAndHashedInOrderOfLastUse) {
  BlockPool pool(4);
  std::vector<BlockId> blocks;
  for (int i = 0; i < 4; ++i) blocks.push_back(pool.allocate());
  for (const int i : {0, 2, 3}) pool.set_hashed(blocks[static_cast<size_t>(i)], true);
  for (const int i : {2, 0, 1, 3}) pool.release(blocks[static_cast<size_t>(i)]);
  EXPECT_EQ(pool.cached_blocks(), 3);

  pool.retain(blocks[2]);  // used again, so it is now the most recent
  EXPECT_EQ(pool.cached_blocks(), 2);
  pool.release(blocks[2]);

  for (const int i : {1, 0, 3, 2}) EXPECT_EQ(pool.allocate(), blocks[static_cast<size_t>(i)]);
  pool.check_integrity();
}

TEST(BlockPoolDeathTest, MisuseIsCaught) {
  BlockPool pool(1);
  const BlockId block = pool.allocate();
  EXPECT_DEATH(pool.allocate(), "free_ > 0");
  EXPECT_DEATH(pool.retain(1), "against 1");
  pool.release(block);
  EXPECT_DEATH(pool.release(block), "references > 0");
}

}  // namespace
}  // namespace caravel::cache
