#include "base/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace caravel {
namespace {

std::string mend(std::string_view bytes) {
  std::string out;
  if (append_complete_utf8(bytes, out) > 0) out += kReplacement;
  return out;
}

TEST(Utf8, BrokenBytesBecomeOneReplacementPerMaximalSubpart) {
  const std::string r(kReplacement);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"plain", "plain"},
      {"\x80", r},
      {"\xBF\xBF", r + r},
      {"\xC0\xAF", r + r},                  // overlong
      {"\xE0\x80\xAF", r + r + r},          // overlong
      {"\xF0\x82\x82\xAC", r + r + r + r},  // overlong
      {"\xED\xA0\x80", r + r + r},          // a surrogate
      {"\xF4\x90\x80\x80", r + r + r + r},  // beyond U+10FFFF
      {"\xF5\x80", r + r},
      {"\xE2\x82", r},  // cut at the end
      {"\xE2\x82"
       "A",
       r + "A"},
      {"\xF0\x9F\x98", r},
      {"\xF0\x9F\x98\xF0\x9F\x98\x80", r + "\xF0\x9F\x98\x80"},
      {"a\xF1\x80\x80\xE1\x80\xC2"
       "b\x80"
       "c\x80\xBF"
       "d",
       "a" + r + r + r + "b" + r + "c" + r + r + "d"},  // D93b's example
      {"\xC2\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF", "\xC2\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF"},
  };
  for (const auto& [bytes, expected] : cases) {
    EXPECT_EQ(mend(bytes), expected) << testing::PrintToString(bytes);
    EXPECT_EQ(is_valid_utf8(bytes), bytes == expected) << testing::PrintToString(bytes);
    EXPECT_EQ(mend("ascii before " + bytes), "ascii before " + expected);
  }
}

TEST(Utf8, AnUnfinishedCharacterWaits) {
  for (const std::string character :
       {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
    for (size_t length = 1; length < character.size(); ++length) {
      std::string out;
      EXPECT_EQ(append_complete_utf8(std::string_view(character).substr(0, length), out), length);
      EXPECT_EQ(out, "");
    }
  }
}

// Table 3-7 of the Unicode standard: the second byte's range depends on the first, the others are 80..BF.
struct Row {
  int first_low, first_high;
  int second_low, second_high;
  size_t length;
};
constexpr Row kTable[] = {
    {0x00, 0x7F, 0x00, 0xFF, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

std::string bytes_of(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

void expect_next(const std::string& text, Utf8Sequence::Kind kind, size_t length) {
  const Utf8Sequence s = next_utf8(text);
  EXPECT_EQ(s.kind, kind) << testing::PrintToString(text);
  EXPECT_EQ(s.length, length) << testing::PrintToString(text);
  if (kind != Utf8Sequence::kCharacter) EXPECT_EQ(s.code_point, 0u) << testing::PrintToString(text);
}

TEST(Utf8, EveryPairOfBytesReadsAsTheTableSays) {
  for (int first = 0; first < 256; ++first) {
    const Row* row = nullptr;
    for (const Row& r : kTable) {
      if (first >= r.first_low && first <= r.first_high) row = &r;
    }
    for (int second = 0; second < 256; ++second) {
      const bool good = row != nullptr && second >= row->second_low && second <= row->second_high;
      const std::string text = bytes_of({first, second, 0x80, 0xBF, 0x80});
      if (good) {
        expect_next(text, Utf8Sequence::kCharacter, row->length);
        EXPECT_TRUE(is_valid_utf8(text.substr(0, row->length)));
      } else {
        expect_next(text, Utf8Sequence::kBroken, 1);
        EXPECT_FALSE(is_valid_utf8(text));
      }
    }
  }
}

TEST(Utf8, ALaterByteThatDoesNotBelongEndsTheBrokenPart) {
  for (const int bad : {0x00, 0x41, 0x7F, 0xC0, 0xC3, 0xFF}) {
    expect_next(bytes_of({0xE2, 0x82, bad}), Utf8Sequence::kBroken, 2);
    expect_next(bytes_of({0xF0, 0x9F, bad, 0x80}), Utf8Sequence::kBroken, 2);
    expect_next(bytes_of({0xF0, 0x9F, 0x98, bad}), Utf8Sequence::kBroken, 3);
  }
}

TEST(Utf8, ACutCharacterIsNotABrokenOne) {
  expect_next(bytes_of({0xC3}), Utf8Sequence::kCut, 1);
  expect_next(bytes_of({0xE0}), Utf8Sequence::kCut, 1);
  expect_next(bytes_of({0xE0, 0xA0}), Utf8Sequence::kCut, 2);
  expect_next(bytes_of({0xF4, 0x8F, 0xBF}), Utf8Sequence::kCut, 3);
  expect_next(bytes_of({0xC0}), Utf8Sequence::kBroken, 1);
  expect_next(bytes_of({0xF4, 0x90}), Utf8Sequence::kBroken, 1);
}

TEST(Utf8, EveryCharacterComesBackFromItsBytes) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string bytes;
    append_utf8(c, bytes);
    const Utf8Sequence s = next_utf8(bytes);
    ASSERT_EQ(s.kind, Utf8Sequence::kCharacter) << static_cast<uint32_t>(c);
    ASSERT_EQ(s.code_point, c);
    ASSERT_EQ(s.length, bytes.size());
    ASSERT_EQ(char_length(bytes[0]), bytes.size());
    ASSERT_FALSE(is_continuation(bytes[0]));
    for (size_t i = 1; i < bytes.size(); ++i) ASSERT_TRUE(is_continuation(bytes[i]));
  }
}

TEST(Utf8, AsciiPrefixFindsTheFirstOtherByteAtEveryPlace) {
  EXPECT_EQ(ascii_prefix(""), 0u);
  for (size_t place = 0; place < 20; ++place) {
    std::string text(20, 'a');
    EXPECT_EQ(ascii_prefix(text), text.size());
    text[place] = static_cast<char>(0x80);
    EXPECT_EQ(ascii_prefix(text), place);
  }
}

}  // namespace
}  // namespace caravel
