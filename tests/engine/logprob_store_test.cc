#include "engine/logprob_store.h"

#include <gtest/gtest.h>

#include "scheduler/plan.h"

namespace caravel::engine {
namespace {

TokenLogprob logprob(size_t top) {
  TokenLogprob result{.token = 1, .logprob = -1, .rank = 2};
  for (size_t i = 0; i < top; ++i) result.top.emplace_back(static_cast<int32_t>(i), -0.5F);
  return result;
}

TEST(LogprobStore, KeepsAsManyOfTheMostLikelyAsItMay) {
  LogprobStore store(4, 2, 16, 20);
  for (int64_t slot = 0; slot < 5; ++slot) store.put(slot, logprob(5));
  EXPECT_TRUE(store.has(3, 5));
  EXPECT_FALSE(store.has(4, 1)) << "the fifth would be the 25th";
  EXPECT_TRUE(store.has(4, 0)) << "its own is kept";
  TokenLogprob found;
  store.get(3, 2, found);
  EXPECT_EQ(found.top.size(), 2U);
  EXPECT_EQ(found.rank, 2);
  store.put(0, logprob(0));
  store.put(4, logprob(5));
  EXPECT_TRUE(store.has(4, 5)) << "what was given up is there for others";
}

TEST(LogprobStore, CopiesGoAlongWithBlocks) {
  LogprobStore store(4, 2, 16, 100);
  store.put(3, logprob(2));
  store.put(2 * 16 + 3, logprob(1));
  scheduler::Plan plan;
  plan.swap_outs = {{.from = 0, .to = 1}};
  store.begin_step(plan);
  plan = {};
  plan.swap_ins = {{.from = 1, .to = 3}};
  plan.copies = {{.from = 1, .to = 2}};  // of block 1 nothing is known
  store.begin_step(plan);
  EXPECT_TRUE(store.has(3, 2)) << "it is still there";
  EXPECT_TRUE(store.has(3 * 16 + 3, 2)) << "by way of the host";
  EXPECT_FALSE(store.has(3 * 16 + 4, 0)) << "never put";
  EXPECT_FALSE(store.has(2 * 16 + 3, 0)) << "the block was overwritten";
  EXPECT_FALSE(store.has(16 + 3, 0));
}

TEST(LogprobStore, NothingIsKnownOfABlockThatIsBegunAnew) {
  LogprobStore store(4, 0, 16, 4);
  store.put(2 * 16 + 3, logprob(2));
  store.put(1 * 16 + 3, logprob(2));
  scheduler::Sequence sequence;
  sequence.kv.tables.resize(1);
  sequence.kv.tables[0].append(2);
  sequence.kv.tables[0].append(1);
  scheduler::Plan plan;
  plan.rows = {{.sequence = &sequence, .first = 5, .count = 12}};
  store.begin_step(plan);
  EXPECT_TRUE(store.has(2 * 16 + 3, 2)) << "the row goes on in it";
  EXPECT_FALSE(store.has(1 * 16 + 3, 0));
  store.put(1 * 16, logprob(2));
  EXPECT_TRUE(store.has(1 * 16, 2)) << "what was forgotten counts no more";
}

}  // namespace
}  // namespace caravel::engine
