#include "engine/output_text.h"

#include <gtest/gtest.h>

#include "engine/harness.h"

namespace caravel::engine {
namespace {

class OutputTextTest : public testing::Test {
 protected:
  /// What is shown after each token of `text`, one token a byte, separated by '|'.
  std::string shown(const std::string& text, const OutputText::Options& options, size_t may_stop_from = 0) {
    OutputText output(tokenizer_, options, 0);
    std::string result;
    stop_.clear();
    for (size_t i = 0; i < text.size(); ++i) {
      const std::string* stop = output.push(byte_token(text[i]), i >= may_stop_from);
      result += output.take();
      if (stop != nullptr) {
        stop_ = *stop;
        return result + "!";
      }
      result += '|';
    }
    output.finish();
    return result + std::string(output.take());
  }

  int32_t byte_token(char byte) const {
    for (int32_t token = 0; token < tokenizer_.vocab_size(); ++token) {
      if (tokenizer_.token_type(token) == TokenType::kNormal && tokenizer_.token_bytes(token) == std::string(1, byte)) {
        return token;
      }
    }
    ADD_FAILURE() << "no token for byte " << static_cast<int>(byte);
    return 0;
  }

  const LoadedModel model_ = load_model(small_config());
  const Tokenizer& tokenizer_ = *model_.tokenizer;
  std::string stop_;
};

TEST_F(OutputTextTest, WithoutStopsEverythingIsShownAtOnce) { EXPECT_EQ(shown("abc", {}), "a|b|c|"); }

TEST_F(OutputTextTest, HoldsBackWhatMayBecomeAStop) {
  EXPECT_EQ(shown("xabcy", {.stop = {"abc"}}), "x|||!");
  EXPECT_EQ(stop_, "abc");
  EXPECT_EQ(shown("xabxabc", {.stop = {"abc"}}), "x|||abx|||!");
  EXPECT_EQ(shown("aab", {.stop = {"aac"}}), "||aab|");
  EXPECT_EQ(shown("xab", {.stop = {"abc"}}), "x|||ab") << "the end releases it";
  EXPECT_EQ(shown("aaaab", {.stop = {"aab"}}), "||a|a|!") << "the beginning of a stop may be its own";
}

TEST_F(OutputTextTest, TheFirstOfSeveralStopsWins) {
  EXPECT_EQ(shown("abcd", {.stop = {"cd", "b"}}), "a|!");
  EXPECT_EQ(stop_, "b");
  EXPECT_EQ(shown("abcd", {.stop = {"bcd", "cd"}}), "a|||!");
  EXPECT_EQ(stop_, "bcd");
}

TEST_F(OutputTextTest, AStopMayBeShown) {
  EXPECT_EQ(shown("xabcy", {.stop = {"abc"}, .include_stop = true}), "x|||abc!");
}

TEST_F(OutputTextTest, BeforeMinTokensNothingStops) {
  EXPECT_EQ(shown("abab", {.stop = {"ab"}}, 2), "a|b||!");
  EXPECT_EQ(shown("abab", {.stop = {"ab"}}, 1), "a|b||!") << "a stop that began before does not count";
}

TEST_F(OutputTextTest, NeverShowsHalfACharacter) {
  EXPECT_EQ(shown("\xC3\xA9z", {}), "|\xC3\xA9|z|");
  EXPECT_EQ(shown("z\xC3", {}), "z||\xEF\xBF\xBD");
  EXPECT_EQ(shown("z\xC3\xA9", {.stop = {"\xC3\xA9"}}), "z||!");
}

}  // namespace
}  // namespace caravel::engine
