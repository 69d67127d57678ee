#include "sampler/bad_words.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace caravel::sampler {
namespace {

TEST(BadWords, CompletesThemAsALookAtEachWould) {
  std::mt19937 random(3);
  const auto some = [&](size_t length) {
    std::vector<int32_t> tokens(length);
    for (int32_t& token : tokens) token = static_cast<int32_t>(random() % 4);
    return tokens;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<std::vector<int32_t>> list;
    for (size_t i = random() % 12; i-- > 0;) list.push_back(some(1 + random() % 4));
    const BadWords words(list);
    const std::vector<int32_t> tokens = some(random() % 6);
    std::multiset<int32_t> expected;
    std::set<std::vector<int32_t>> once(list.begin(), list.end());
    for (const auto& word : once) {
      const size_t front = word.size() - 1;
      if (front <= tokens.size() &&
          std::equal(word.begin(), word.end() - 1, tokens.end() - static_cast<ptrdiff_t>(front)))
        expected.insert(word.back());
    }
    std::multiset<int32_t> found;
    words.completing(tokens, [&](int32_t token) { found.insert(token); });
    EXPECT_EQ(found, expected);
    for (int32_t token = 0; token < 5; ++token) EXPECT_EQ(words.has(token), once.contains({token}));
  }
}

}  // namespace
}  // namespace caravel::sampler
