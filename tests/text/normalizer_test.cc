#include "text/normalizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "text/tokenizer_data.h"

namespace caravel::text {
namespace {

using Steps = std::vector<TokenizerData::NormalizerStep>;

TEST(Normalizer, StepsComeInOrder) {
  const Steps steps = {{.content = " "}, {.pattern = " ", .content = "\u2581"}, {.pattern = "ab", .content = "c"}};
  EXPECT_EQ(normalize("a abab", steps).text, "\u2581a\u2581cc");
  EXPECT_EQ(normalize("", steps).text, "") << "nothing is put before nothing";
  EXPECT_EQ(normalize("d", {{.pattern = "d"}, {.content = "_"}}).text, "");
  EXPECT_EQ(normalize("e\u0301", {{.form = TokenizerData::Normalization::kNfc}}).text, "\u00E9");
  EXPECT_EQ(normalize("a", Steps{}).text, "a");
}

TEST(Normalizer, SaysWhatIsInFront) {
  EXPECT_EQ(normalize("a", Steps{}).in_front, 0U);
  EXPECT_EQ(normalize(" a", {{.content = "xy"}}).in_front, 2U);
  EXPECT_EQ(normalize("a", {{.content = " "}, {.pattern = " ", .content = "\u2581"}}).in_front, 3U);
}

TEST(Normalizer, SaysWhetherTheBeginningIsKept) {
  const auto keeps = [](const Steps& steps) { return normalize("abc", steps).keeps_beginning; };
  EXPECT_TRUE(keeps({{.pattern = "a", .content = "xyz"}}));
  EXPECT_TRUE(keeps({{.pattern = "b", .content = ""}}));
  EXPECT_FALSE(keeps({{.pattern = "a", .content = ""}}));
  EXPECT_FALSE(keeps({{.pattern = "ab", .content = "x"}})) << "x is said to stand for b";
}

TEST(Normalizer, SentencePiecesOwn) {
  EXPECT_EQ(normalize("a  b", sentencepiece_normalizer(true)).text, "\u2581a\u2581\u2581b");
  EXPECT_EQ(normalize(" a", sentencepiece_normalizer(false)).text, "\u2581a");
}

}  // namespace
}  // namespace caravel::text
