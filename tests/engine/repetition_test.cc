#include "engine/repetition.h"

#include <gtest/gtest.h>

#include <random>

namespace caravel::engine {
namespace {

/// By the definition: the last `window` tokens have a period of at most a quarter of the window.
bool goes_round(const std::vector<int32_t>& tokens, int window) {
  const auto size = static_cast<int>(tokens.size());
  if (size < window) return false;
  for (int period = 1; period <= window / 4; ++period) {
    bool same = true;
    for (int i = size - window + period; i < size; ++i) same = same && tokens[i] == tokens[i - period];
    if (same) return true;
  }
  return false;
}

TEST(RepetitionWatch, IsTheDefinitionAtEveryToken) {
  std::mt19937 random(3);
  for (const int window : {4, 5, 7, 8, 16, 33}) {
    for (int round = 0; round < 50; ++round) {
      RepetitionWatch watch(window);
      std::vector<int32_t> tokens;
      while (tokens.size() < 300) {
        // Runs of all lengths about the window's, of all periods about the longest.
        const int period = 1 + static_cast<int>(random() % static_cast<unsigned>(window / 4 + 2));
        const int run = static_cast<int>(random() % static_cast<unsigned>(2 * window));
        std::vector<int32_t> part(static_cast<size_t>(period));
        for (int32_t& token : part) token = static_cast<int32_t>(random() % 2);
        for (int i = 0; i < run; ++i) {
          tokens.push_back(part[static_cast<size_t>(i % period)]);
          ASSERT_EQ(watch.add(tokens.back()), goes_round(tokens, window))
              << "window " << window << ", token " << tokens.size();
        }
      }
    }
  }
}

TEST(RepetitionWatch, AWindowOfZeroNoticesNothing) {
  RepetitionWatch watch(0);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(watch.add(7));
}

}  // namespace
}  // namespace caravel::engine
