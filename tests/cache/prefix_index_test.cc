#include "cache/prefix_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace caravel::cache {
namespace {

using Tokens = std::vector<int32_t>;

TEST(PrefixIndex, FindsABlockByAllThatCameBeforeIt) {
  PrefixIndex index(8, 2, 1);
  const Tokens first{1, 2};
  const Tokens second{3, 4};
  const Hash128 root = index.root("");
  const Hash128 one = PrefixIndex::extend(root, first);
  const Hash128 two = PrefixIndex::extend(one, second);
  EXPECT_TRUE(index.insert(5, root, one, first, 0));
  EXPECT_TRUE(index.insert(6, one, two, second, 0));
  EXPECT_EQ(index.find(root, one, first, 0), 5);
  EXPECT_EQ(index.find(one, two, second, 0), 6);

  EXPECT_EQ(index.find(root, PrefixIndex::extend(root, second), second, 0), kNoBlock);  // another place
  EXPECT_EQ(index.find(root, one, first, 1), kNoBlock);                                 // another KV group
  const Hash128 salted = index.root("salt");
  EXPECT_EQ(index.find(salted, PrefixIndex::extend(salted, first), first, 0), kNoBlock);
  const Hash128 other = PrefixIndex(8, 2, 2).root("");  // another seed, another chain
  EXPECT_FALSE(other == root);
  index.check_integrity();
}

TEST(PrefixIndex, AnEqualHashIsNotEnough) {
  PrefixIndex index(4, 2, 1);
  const Tokens stored{1, 2};
  const Tokens forged{9, 9};
  const Hash128 root = index.root("");
  const Hash128 chain = PrefixIndex::extend(root, stored);
  index.insert(0, root, chain, stored, 0);
  EXPECT_EQ(index.find(root, chain, forged, 0), kNoBlock);
  EXPECT_EQ(index.find(Hash128{1, 1}, chain, stored, 0), kNoBlock);
}

TEST(PrefixIndex, KeepsTheFirstOfTwoEqualBlocks) {
  PrefixIndex index(4, 2, 1);
  const Tokens tokens{1, 2};
  const Hash128 root = index.root("");
  const Hash128 chain = PrefixIndex::extend(root, tokens);
  EXPECT_TRUE(index.insert(0, root, chain, tokens, 0));
  EXPECT_FALSE(index.insert(1, root, chain, tokens, 0));
  EXPECT_FALSE(index.contains(1));
  index.erase(0);
  EXPECT_EQ(index.find(root, chain, tokens, 0), kNoBlock);
  EXPECT_TRUE(index.insert(1, root, chain, tokens, 0));
}

TEST(PrefixIndex, AgreesWithAMapUnderRandomInsertionsAndRemovals) {
  constexpr int kBlocks = 24;
  PrefixIndex index(kBlocks, 1, 7);
  std::map<Tokens, BlockId> expected;
  std::vector<Tokens> held(kBlocks);
  std::mt19937 random(1);
  const Hash128 root = index.root("");
  for (int step = 0; step < 50'000; ++step) {
    const auto block = static_cast<BlockId>(random() % kBlocks);
    Tokens& tokens = held[static_cast<size_t>(block)];
    if (index.contains(block)) {
      index.erase(block);
      expected.erase(tokens);
    } else {
      tokens = {static_cast<int32_t>(random() % 40)};
      const bool inserted = index.insert(block, root, PrefixIndex::extend(root, tokens), tokens, 0);
      ASSERT_EQ(inserted, expected.try_emplace(tokens, block).second);
    }
    const Tokens asked{static_cast<int32_t>(random() % 40)};
    const auto there = expected.find(asked);
    ASSERT_EQ(index.find(root, PrefixIndex::extend(root, asked), asked, 0),
              there == expected.end() ? kNoBlock : there->second);
    if (step % 100 == 0) index.check_integrity();
  }
}

}  // namespace
}  // namespace caravel::cache
