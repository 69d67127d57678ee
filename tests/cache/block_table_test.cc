#include "cache/block_table.h"

#include <gtest/gtest.h>

namespace caravel::cache {
namespace {

BlockTable table_of(std::initializer_list<BlockId> blocks) {
  BlockTable table;
  for (const BlockId block : blocks) table.append(block);
  return table;
}

TEST(BlockTable, AWindowDropsFromTheFrontAndKeepsThePlaces) {
  BlockTable table = table_of({7, 8, 9});
  EXPECT_EQ(table.drop_front(), 7);
  EXPECT_EQ(table.begin(), 1);
  EXPECT_EQ(table.size(), 3);
  EXPECT_EQ(table[0], kNoBlock);
  EXPECT_EQ(table[1], 8);
}

TEST(BlockTable, AnEntryIsReplaced) {
  BlockTable table = table_of({7, 8});
  EXPECT_EQ(table.replace(1, 5), 8);
  EXPECT_EQ(table[1], 5);
  EXPECT_EQ(table.size(), 2);
}

TEST(BlockTable, MayStartInTheMiddle) {
  BlockTable table;
  table.start_after(2);
  table.append(4);
  EXPECT_EQ(table.begin(), 2);
  EXPECT_EQ(table[2], 4);
  BlockTable copy;
  copy.copy_from(table);
  EXPECT_EQ(copy.drop_front(), 4);
  EXPECT_EQ(table.begin(), 2);
}

TEST(BlockTableDeathTest, AWindowCannotPassTheEnd) {
  BlockTable table = table_of({7});
  table.drop_front();
  EXPECT_DEATH(table.drop_front(), "begin_ < size");
}

}  // namespace
}  // namespace caravel::cache
