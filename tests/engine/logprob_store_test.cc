#include "engine/logprob_store.h"

#include <gtest/gtest.h>

namespace caravel::engine {
namespace {

TokenLogprob logprob(size_t top) {
  TokenLogprob result{.token = 1, .logprob = -1, .rank = 2};
  for (size_t i = 0; i < top; ++i) result.top.emplace_back(static_cast<int32_t>(i), -0.5F);
  return result;
}

TEST(LogprobStore, KeepsAsManyOfTheMostLikelyAsItMay) {
  LogprobStore store(4, 2, 16, 20);
  TokenLogprob found;
  for (int64_t slot = 0; slot < 5; ++slot) store.put(slot, logprob(5));
  EXPECT_TRUE(store.get(3, 5, found));
  EXPECT_EQ(found.top.size(), 5U);
  EXPECT_FALSE(store.get(4, 1, found)) << "the fifth would be the 25th";
  EXPECT_TRUE(store.get(4, 0, found)) << "its own is kept";
  EXPECT_EQ(found.rank, 2);
  store.put(0, logprob(0));
  store.put(4, logprob(5));
  EXPECT_TRUE(store.get(4, 5, found)) << "what was given up is there for others";
}

}  // namespace
}  // namespace caravel::engine
