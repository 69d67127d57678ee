#include "cache/capacity.h"

#include <gtest/gtest.h>

namespace caravel::cache {
namespace {

TEST(Capacity, WorstCaseSharesThePromptAndBoundsWindows) {
  const Capacity full{.block_size = 4};
  EXPECT_EQ(full.worst_case_blocks(10, 20, 1), 5);
  EXPECT_EQ(full.worst_case_blocks(10, 20, 3), 2 + 3 * 3);
  const Capacity windowed{.block_size = 4, .windows = {0, 6}};
  // Six positions in a row lie in up to three blocks.
  EXPECT_EQ(windowed.worst_case_blocks(10, 100, 1), 25 + 3);
  EXPECT_EQ(windowed.worst_case_blocks(10, 100, 2), 2 + 2 * 23 + 2 * 3);
}

TEST(Capacity, MostTokensAreTheLastThatFit) {
  for (const std::vector<int>& windows : {std::vector{0}, {0, 6}, {6, 6}, {0, 0, 40}}) {
    for (const int64_t blocks : {1, 2, 7, 30}) {
      const Capacity capacity{.block_size = 4, .blocks = blocks, .windows = windows};
      for (const int64_t prompt : {1, 4, 9, 60}) {
        for (const int64_t sequences : {1, 2, 5}) {
          const int64_t most = capacity.most_tokens(prompt, sequences, 100);
          int64_t expected = 0;
          for (int64_t tokens = prompt; tokens <= 100; ++tokens) {
            if (capacity.worst_case_blocks(prompt, tokens, sequences) <= blocks) expected = tokens;
          }
          EXPECT_EQ(most, expected) << blocks << " blocks, prompt of " << prompt << ", " << sequences;
        }
      }
    }
  }
}

TEST(Capacity, SequencesShareTheRoom) {
  const Capacity capacity{.block_size = 16, .blocks = 20};
  EXPECT_EQ(capacity.most_tokens(16, 1, 4096), 320);
  EXPECT_EQ(capacity.most_tokens(16, 4, 4096), 16 + 4 * 16) << "19 blocks behind the prompt's, four for each";
  EXPECT_EQ(capacity.most_tokens(16, 4, 50), 50);
  EXPECT_EQ(capacity.most_tokens(17, 20, 4096), 0) << "each needs a block of its own beside the first";
}

}  // namespace
}  // namespace caravel::cache
