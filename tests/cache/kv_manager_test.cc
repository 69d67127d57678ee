#include "cache/kv_manager.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <vector>

#include "base/error.h"

namespace caravel::cache {
namespace {

std::vector<int32_t> iota(int count, int32_t from = 0) {
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  std::iota(tokens.begin(), tokens.end(), from);
  return tokens;
}

/// A sequence that computes its tokens without a scheduler.
class Writer {
 public:
  Writer(KvManager& kv, std::vector<int32_t> tokens, std::string salt = "")
      : kv_(kv), tokens_(std::move(tokens)), salt_(std::move(salt)) {
    kv_.register_sequence(state, salt_, 1000);
  }
  ~Writer() { kv_.release(state); }

  int hit(int max_tokens, CachedBlockFilter* filter = nullptr, int filtered = 0) {
    const PrefixHit hit = kv_.find_prefix(tokens_, salt_, max_tokens, filter, filtered);
    kv_.take_prefix(state, hit, filter);
    computed = hit.tokens;
    return hit.tokens;
  }
  void compute(int count) {
    ASSERT_LE(kv_.blocks_needed(state, computed, count), kv_.free_blocks());
    kv_.reserve(state, computed, count, copies);
    computed += count;
    kv_.commit(state, tokens_, computed);
    kv_.check_integrity();
  }

  KvSequence state;
  int computed = 0;
  std::vector<BlockCopy> copies;

 private:
  KvManager& kv_;
  std::vector<int32_t> tokens_;
  std::string salt_;
};

KvConfig small(std::vector<int> windows = {0}, int blocks = 16) {
  return {.block_size = 4, .num_blocks = blocks, .num_host_blocks = 8, .windows = std::move(windows)};
}

TEST(KvManager, RefusesSizesThatMakeNoSense) {
  EXPECT_THROW(KvManager({.block_size = 3, .num_blocks = 1}), InvalidArgument);
  EXPECT_THROW(KvManager({.num_blocks = 0}), InvalidArgument);
  EXPECT_THROW(KvManager({.num_blocks = 1, .windows = {}}), InvalidArgument);
}

TEST(KvManager, TakesBlocksAsTokensNeedThem) {
  KvManager kv(small());
  Writer writer(kv, iota(20));
  writer.compute(3);
  EXPECT_EQ(kv.free_blocks(), 15);
  EXPECT_EQ(kv.blocks_needed(writer.state, 3, 1), 0);
  EXPECT_EQ(kv.blocks_needed(writer.state, 3, 2), 1);
  writer.compute(6);
  EXPECT_EQ(kv.free_blocks(), 13);
  EXPECT_EQ(kv.tokens_that_fit(writer.state, 9, 1000), 3 + 13 * 4);
}

TEST(KvManager, AForkCopiesTheSharedLastBlockOnce) {
  KvManager kv(small());
  Writer parent(kv, iota(20));
  parent.compute(6);
  Writer child(kv, iota(20));
  kv.share(parent.state, child.state);
  child.computed = 6;
  EXPECT_EQ(kv.free_blocks(), 14);
  const BlockId shared = parent.state.tables[0][1];

  child.compute(1);
  EXPECT_EQ(child.copies, (std::vector<BlockCopy>{{shared, child.state.tables[0][1]}}));
  EXPECT_EQ(parent.state.tables[0][1], shared);
  EXPECT_EQ(parent.state.tables[0][0], child.state.tables[0][0]);
  parent.compute(1);  // alone in it now
  EXPECT_TRUE(parent.copies.empty());
}

TEST(KvManager, AForkAtABlockBoundaryCopiesNothing) {
  KvManager kv(small());
  Writer parent(kv, iota(20));
  parent.compute(8);
  Writer child(kv, iota(20));
  kv.share(parent.state, child.state);
  child.computed = 8;
  child.compute(1);
  parent.compute(1);
  EXPECT_TRUE(child.copies.empty());
  EXPECT_TRUE(parent.copies.empty());
}

TEST(KvManager, AWindowKeepsWhatAFutureTokenSees) {
  KvManager kv(small({5}));
  Writer writer(kv, iota(40));
  writer.compute(8);  // position 8 sees 4..8
  EXPECT_EQ(writer.state.tables[0].begin(), 1);
  writer.compute(3);  // position 11 sees 7..11
  EXPECT_EQ(writer.state.tables[0].begin(), 1);
  writer.compute(1);  // position 12 sees 8..12
  EXPECT_EQ(writer.state.tables[0].begin(), 2);
  EXPECT_EQ(kv.pool().used_blocks(), 1);
}

TEST(KvManager, FindsAPrefixOfWholeBlocks) {
  KvManager kv(small());
  { Writer(kv, iota(20)).compute(15); }
  EXPECT_EQ(kv.pool().cached_blocks(), 3);
  Writer same(kv, iota(20));
  EXPECT_EQ(kv.find_prefix(iota(20), "", 11).tokens, 8);
  EXPECT_EQ(kv.find_prefix(iota(20), "other", 20).tokens, 0);
  EXPECT_EQ(kv.find_prefix(iota(20, 1), "", 20).tokens, 0);
  EXPECT_EQ(kv.find_prefix(iota(20), "", 20).free_blocks, 3);
  EXPECT_EQ(same.hit(20), 12);
  same.compute(3);
  EXPECT_EQ(kv.find_prefix(iota(20), "", 20).free_blocks, 0);
}

TEST(KvManager, WindowGroupsNeedOnlyTheEndOfAHit) {
  KvManager kv(small({0, 5}, 12));
  { Writer(kv, iota(24)).compute(20); }
  // Five blocks of the full group and five of the window's are cached; a long stranger takes the oldest away: those
  // that the window dropped first.
  EXPECT_EQ(kv.find_prefix(iota(24), "", 23).tokens, 20);
  Writer stranger(kv, iota(8, 100));
  stranger.compute(8);
  Writer same(kv, iota(24));
  EXPECT_EQ(same.hit(23), 20);
  EXPECT_EQ(same.state.tables[1].begin(), 4);  // position 20 sees 16..20
  EXPECT_EQ(same.state.tables[0].begin(), 0);
  same.compute(1);
}

TEST(KvManager, EvictsTheEndOfAPrefixBeforeItsBeginning) {
  KvManager kv(small({0}, 4));
  { Writer(kv, iota(16)).compute(16); }
  Writer stranger(kv, iota(8, 100));
  stranger.compute(5);
  EXPECT_EQ(kv.find_prefix(iota(16), "", 16).tokens, 8);
}

class Accepts : public CachedBlockFilter {
 public:
  explicit Accepts(int blocks) : blocks_(blocks) {}
  bool usable(int index, BlockId) const override { return index < blocks_; }
  void fetch(int index, BlockId) override { fetched.push_back(index); }

  std::vector<int> fetched;

 private:
  int blocks_;
};

TEST(KvManager, AFilterEndsAHitEarlier) {
  KvManager kv(small());
  { Writer(kv, iota(20)).compute(20); }
  Accepts three(3);
  // Three blocks are usable; the token after the hit needs logits of the hit's last position, so two are taken.
  EXPECT_EQ(kv.find_prefix(iota(20), "", 19, &three, 20).tokens, 8);
  Accepts none(0);
  EXPECT_EQ(kv.find_prefix(iota(20), "", 19, &none, 20).tokens, 0);
  // Past the prompt nothing is asked of a block.
  EXPECT_EQ(kv.find_prefix(iota(20), "", 20, &three, 10).tokens, 20);
  EXPECT_TRUE(three.fetched.empty()) << "no hit was taken";
}

TEST(KvManager, AFilterReadsWhatIsUsableWhenTheHitIsTaken) {
  KvManager kv(small());
  { Writer(kv, iota(20)).compute(20); }
  Accepts three(3);
  EXPECT_EQ(Writer(kv, iota(20)).hit(19, &three, 20), 8);
  EXPECT_EQ(three.fetched, (std::vector<int>{0, 1, 2})) << "the block that the hit gave back, too";
  Accepts one(1);
  EXPECT_EQ(Writer(kv, iota(20)).hit(19, &one, 20), 0);
  EXPECT_EQ(one.fetched, (std::vector<int>{0}));
  Accepts all(5);
  EXPECT_EQ(Writer(kv, iota(20)).hit(20, &all, 10), 20);
  EXPECT_EQ(all.fetched, (std::vector<int>{0, 1, 2})) << "none that lie past the prompt";
}

TEST(KvManager, SwapMovesSharedBlocksOnceAndKeepsThemShared) {
  KvManager kv(small());
  Writer parent(kv, iota(20));
  parent.compute(10);
  Writer child(kv, iota(20));
  kv.share(parent.state, child.state);
  child.computed = 10;
  child.compute(1);
  KvSequence* both[] = {&parent.state, &child.state};
  EXPECT_EQ(kv.distinct_blocks(both), 4);

  std::vector<BlockCopy> out;
  kv.swap_out(both, out);
  EXPECT_EQ(out.size(), 4U);
  EXPECT_EQ(kv.pool().used_blocks(), 0);
  EXPECT_EQ(kv.host_pool().used_blocks(), 4);
  EXPECT_EQ(parent.state.tables[0][0], child.state.tables[0][0]);
  kv.check_integrity();

  std::vector<BlockCopy> in;
  kv.swap_in(both, in);
  const uint64_t step = kv.begin_step();
  EXPECT_EQ(in.size(), 4U);
  EXPECT_EQ(kv.host_pool().used_blocks(), 4);  // still to be read
  kv.check_integrity();
  kv.end_step(step);
  EXPECT_EQ(kv.host_pool().used_blocks(), 0);
  EXPECT_EQ(parent.state.tables[0][1], child.state.tables[0][1]);
  EXPECT_NE(parent.state.tables[0][2], child.state.tables[0][2]);
  kv.check_integrity();
}

TEST(KvManager, BlocksOfAStepInFlightAreNotHandedOut) {
  KvManager kv(small({0}, 4));
  Writer writer(kv, iota(16));
  writer.compute(16);
  const uint64_t step = kv.begin_step();
  kv.reset(writer.state, "");
  writer.computed = 0;
  EXPECT_EQ(kv.free_blocks(), 0);
  kv.check_integrity();
  kv.end_step(step);
  EXPECT_EQ(kv.free_blocks(), 4);
}

TEST(KvManager, BlocksComeBackWithTheLastStepThatUsesThemThoughOthersAreInFlight) {
  KvManager kv(small({0}, 4));
  Writer early(kv, iota(8));
  Writer late(kv, iota(8, 100));
  early.compute(8);
  late.compute(8);
  kv.begin_step();  // 1
  kv.reset(early.state, "");
  kv.begin_step();  // 2
  kv.reset(late.state, "");
  kv.begin_step();  // 3
  EXPECT_EQ(kv.free_blocks(), 0);
  kv.end_step(1);
  EXPECT_EQ(kv.free_blocks(), 2);
  kv.check_integrity();
  kv.begin_step();  // 4
  kv.end_step(2);
  EXPECT_EQ(kv.free_blocks(), 4);
  early.computed = late.computed = 0;
}

TEST(KvManager, WhatAPlannedCopyReadsOutlivesItsOtherHolders) {
  KvManager kv(small());
  auto parent = std::make_unique<Writer>(kv, iota(20));
  parent->compute(6);
  kv.reserve(parent->state, 6, 2, parent->copies);
  const uint64_t step = kv.begin_step();
  Writer child(kv, iota(20));
  kv.share(parent->state, child.state);
  child.computed = 6;
  const BlockId original = child.state.tables[0][1];
  kv.end_step(step);
  kv.commit(parent->state, iota(20), 8);  // found by others from now on
  parent.reset();
  Writer finder(kv, iota(20));
  ASSERT_EQ(finder.hit(8), 8);

  kv.reserve(child.state, 6, 1, child.copies);
  EXPECT_EQ(child.copies, (std::vector<BlockCopy>{{original, child.state.tables[0][1]}}));
  kv.reset(finder.state, "");
  EXPECT_EQ(kv.pool().references(original), 1) << "the copy is still to be made";
  kv.end_step(kv.begin_step());
  EXPECT_EQ(kv.pool().references(original), 0);
  kv.check_integrity();
}

TEST(KvManagerDeathTest, StepsEndInOrder) {
  KvManager kv(small());
  kv.begin_step();
  kv.begin_step();
  EXPECT_DEATH(kv.end_step(2), "2 against 1");
}

TEST(KvManager, CountsUnusedSlotsOfSharedBlocksOnce) {
  KvManager kv(small());
  Writer parent(kv, iota(20));
  parent.compute(6);
  Writer child(kv, iota(20));
  kv.share(parent.state, child.state);
  kv.begin_count();
  EXPECT_EQ(kv.unused_slots(parent.state, 6), 2);
  EXPECT_EQ(kv.unused_slots(child.state, 6), 0);
}

TEST(KvManagerDeathTest, TheBooksAreChecked) {
  KvManager kv(small());
  Writer writer(kv, iota(20));
  writer.compute(6);
  const BlockId own = writer.state.tables[0].replace(1, 9);  // a block that nobody handed out
  EXPECT_DEATH(kv.check_integrity(), "1 against 0");
  writer.state.tables[0].replace(1, own);
}

}  // namespace
}  // namespace caravel::cache
