#include "sampler/token_counts.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace caravel::sampler {
namespace {

TEST(TokenCounts, EqualsAMapThroughGrowthAndCopies) {
  std::mt19937 random(1);
  TokenCounts counts;
  std::map<int32_t, int> expected;
  for (int i = 0; i < 500; ++i) {
    const auto token = static_cast<int32_t>(random() % 3000);
    counts.add_prompt(std::span(&token, 1));
    expected.try_emplace(token, 0);
  }
  TokenCounts copy = counts;
  copy.add_output(-7);
  for (int i = 0; i < 5000; ++i) {
    const auto token = static_cast<int32_t>(random() % 3000 * 65536);  // collides in the low bits
    counts.add_output(token);
    ++expected[token];
  }
  std::map<int32_t, int> seen;
  for (const auto& [token, in_output] : counts.entries()) EXPECT_TRUE(seen.emplace(token, in_output).second);
  EXPECT_EQ(seen, expected);
}

TEST(TokenCounts, GrowsNoFurtherThanReserved) {
  TokenCounts counts;
  counts.reserve(100);
  counts.add_output(0);
  const auto* const before = counts.entries().data();
  for (int32_t token = 1; token < 100; ++token) counts.add_output(token);
  EXPECT_EQ(counts.entries().data(), before);
}

}  // namespace
}  // namespace caravel::sampler
