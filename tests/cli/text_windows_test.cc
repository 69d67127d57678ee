#include "cli/text_windows.h"

#include <gmock/gmock.h>

namespace caravel::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// How often each token is predicted, over all windows.
std::vector<int> predictions(const std::vector<TextWindow>& windows, size_t tokens) {
  std::vector<int> counts(tokens);
  for (const TextWindow& window : windows) {
    for (size_t i = window.scored; i < window.end; ++i) ++counts.at(i);
  }
  return counts;
}

TEST(TextWindows, LlamaCppsAreSideBySideAndHalfOfEachIsPredicted) {
  // perplexity.cpp: n_ctx - n_ctx / 2 - 1 tokens of each chunk, the rest of the text is dropped.
  EXPECT_THAT(llama_cpp_windows(29, 10), ElementsAre(TextWindow{0, 6, 10}, TextWindow{10, 16, 20}));
  EXPECT_THAT(llama_cpp_windows(10, 5), ElementsAre(TextWindow{0, 3, 5}, TextWindow{5, 8, 10}));
  EXPECT_THAT(llama_cpp_windows(3, 3), ElementsAre(TextWindow{0, 2, 3}));
  EXPECT_THAT(llama_cpp_windows(511, 512), IsEmpty());
}

TEST(TextWindows, LlamaCppsWithAStrideLeaveTheLastTokenOut) {
  // perplexity_v2: ceil((tokens - size) / stride) chunks.
  EXPECT_THAT(llama_cpp_strided_windows(16, 8, 4), ElementsAre(TextWindow{0, 4, 8}, TextWindow{4, 8, 12}));
  EXPECT_THAT(llama_cpp_strided_windows(17, 8, 4),
              ElementsAre(TextWindow{0, 4, 8}, TextWindow{4, 8, 12}, TextWindow{8, 12, 16}));
  EXPECT_THAT(llama_cpp_strided_windows(8, 8, 4), IsEmpty());
  EXPECT_EQ(768U, llama_cpp_strided_size(512, 256));
  EXPECT_EQ(768U, llama_cpp_strided_size(512, 512));
  EXPECT_EQ(512U, llama_cpp_strided_size(512, 1));
}

TEST(TextWindows, SlidingOnesPredictWhatIsNew) {
  EXPECT_THAT(sliding_windows(10, 6, 3), ElementsAre(TextWindow{0, 1, 6}, TextWindow{3, 6, 9}, TextWindow{6, 9, 10}));
  EXPECT_THAT(sliding_windows(6, 6, 3), ElementsAre(TextWindow{0, 1, 6}));
  EXPECT_THAT(sliding_windows(4, 6, 3), ElementsAre(TextWindow{0, 1, 4}));
  EXPECT_THAT(sliding_windows(1, 6, 3), IsEmpty());
  EXPECT_THAT(sliding_windows(0, 6, 3), IsEmpty());
  // Side by side, the first token of each window has nothing before it; a window of one token predicts nothing.
  EXPECT_THAT(sliding_windows(9, 4, 4), ElementsAre(TextWindow{0, 1, 4}, TextWindow{4, 5, 8}));
}

TEST(TextWindows, SlidingOnesPredictEachTokenButTheFirstOnce) {
  for (size_t tokens = 2; tokens < 40; ++tokens) {
    for (size_t size = 2; size < 12; ++size) {
      for (size_t stride = 1; stride < size; ++stride) {
        const std::vector<TextWindow> windows = sliding_windows(tokens, size, stride);
        std::vector<int> once(tokens, 1);
        once[0] = 0;
        ASSERT_EQ(once, predictions(windows, tokens)) << tokens << " tokens, " << size << " by " << stride;
        for (const TextWindow& window : windows) {
          ASSERT_LE(window.size(), size);
          ASSERT_LT(window.begin, window.scored);
          if (window.begin > 0) ASSERT_GE(window.scored - window.begin, size - stride);
        }
      }
    }
  }
}

}  // namespace
}  // namespace caravel::cli
