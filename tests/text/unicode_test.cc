#include "text/unicode.h"

#include <gtest/gtest.h>

#include <string>

#include "text/tokenizer_data.h"

namespace caravel::text {
namespace {

using Normalization = TokenizerData::Normalization;

TEST(Unicode, CharactersAtBothEnds) {
  const std::string text = "\xF0\x9F\x98\x80-\xC3\xA9";
  EXPECT_EQ(first_char(text), U'\U0001F600');
  EXPECT_EQ(last_char(text), U'\u00E9');
}

TEST(Unicode, WhiteSpaceIsTheProperty) {
  for (const char32_t c :
       {U'\t', U'\r', U' ', U'\u0085', U'\u00A0', U'\u1680', U'\u2003', U'\u2028', U'\u202F', U'\u3000'}) {
    EXPECT_TRUE(is_white_space(c)) << static_cast<uint32_t>(c);
  }
  for (const char32_t c : {U'\u180E', U'\u200B', U'\u2060', U'\uFEFF', U'\x1C', U'x'}) {
    EXPECT_FALSE(is_white_space(c)) << static_cast<uint32_t>(c);
  }
}

TEST(Unicode, WordCharacters) {
  for (const char32_t c : {U'a', U'Z', U'0', U'_', U'\u00E9', U'\u4E2D', U'\u0301', U'\u0967'})
    EXPECT_TRUE(is_word_char(c));
  for (const char32_t c : {U' ', U'-', U'.', U'\u00A0', U'\u2026', U'\U0001F600'}) EXPECT_FALSE(is_word_char(c));
}

TEST(Unicode, Normalizes) {
  const auto nfc = [](std::string_view text) { return normalize(text, Normalization::kNfc); };
  const auto nfkc = [](std::string_view text) { return normalize(text, Normalization::kNfkc); };
  EXPECT_EQ(nfc("plain ASCII"), "plain ASCII");
  EXPECT_EQ(nfc("re\u0301sume\u0301"), "r\u00E9sum\u00E9");
  EXPECT_EQ(nfc("a\u030A\u0323"), "\u1EA1\u030A");  // marks are put in order first
  EXPECT_EQ(nfc("q\u0307\u0323"), "q\u0323\u0307");
  EXPECT_EQ(nfc("\u1100\u1161\u11A8"), "\uAC01");  // Hangul
  EXPECT_EQ(nfc("\u212B\u2126"), "\u00C5\u03A9");  // singletons
  EXPECT_EQ(nfc("\u0958"), "\u0915\u093C");        // excluded from composition
  EXPECT_EQ(nfc("\uFB01 \uFF21 \u00BD"), "\uFB01 \uFF21 \u00BD");
  EXPECT_EQ(nfkc("\uFB01 \uFF21 \u00BD"), "fi A 1\u20442");
  EXPECT_EQ(nfkc("\uFDFA").size(), 33u);  // the longest decomposition
  EXPECT_EQ(nfc(std::string_view("a\0b\u0301", 5)), std::string_view("a\0b\u0301", 5));
  EXPECT_EQ(normalize("e\u0301", Normalization::kNone), "e\u0301");
}

TEST(Unicode, LongRunsOfMarksAreOrderedInTime) {
  std::string marks = "q";
  for (int i = 0; i < 200'000; ++i) marks += i % 2 ? "\u0323" : "\u0307";
  const std::string ordered = normalize(marks, Normalization::kNfc);  // minutes where ordering is quadratic
  EXPECT_EQ(ordered.size(), marks.size());
  EXPECT_TRUE(ordered.starts_with("q\u0323\u0323"));
  EXPECT_TRUE(ordered.ends_with("\u0307\u0307"));
}

}  // namespace
}  // namespace caravel::text
