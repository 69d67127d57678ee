#include "text/regex_syntax.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "fixtures.h"
#include "text/pre_tokenizer.h"
#include "text/regex.h"

namespace caravel::text {
namespace {

std::vector<std::string> split(const std::string& pattern, const std::string& text) {
  const PreTokenizer pre_tokenizer({{.pattern = pattern}});
  const auto pieces = pre_tokenizer.split(text);
  return {pieces.begin(), pieces.end()};
}

TEST(RegexSyntax, CutsAsTokenizersDoes) {
  const nlohmann::json cases = nlohmann::json::parse(read_file(tests::fixtures() + "/regex_splits.json"));
  ASSERT_GT(cases.size(), 40U);
  for (const nlohmann::json& each : cases) {
    EXPECT_EQ(split(each["pattern"], each["text"]), each["pieces"].get<std::vector<std::string>>())
        << each["pattern"] << " on " << each["text"];
  }
}

TEST(RegexSyntax, BothSetsOfCharactersCutTheSame) {
  const std::string text = "Caf\u00e9 No 7, \u4e2d\u6587 \u0661\u2167 \u24b6\u0301!\n\t x_y \u00bd\u203f";
  ASSERT_FALSE(has_new_characters(text));
  const nlohmann::json cases = nlohmann::json::parse(read_file(tests::fixtures() + "/regex_splits.json"));
  for (const nlohmann::json& each : cases) {
    const std::string pattern = each["pattern"];
    const Regex regex(pattern);
    Regex::Searcher exact(regex, CharacterSet::kUnicode16);
    Regex::Searcher fast(regex, CharacterSet::kUnicode14);
    for (size_t from = 0; from < text.size();) {
      const auto found = exact.find(text, from);
      EXPECT_EQ(fast.find(text, from), found) << pattern;
      if (!found) break;
      from = std::max(found->second, from + char_length(text[from]));
    }
  }
}

TEST(RegexSyntax, KnowsNewCharactersFromOldOnes) {
  EXPECT_FALSE(has_new_characters(""));
  EXPECT_FALSE(has_new_characters("plain, \u00e9, \u4e2d\u6587, \U0001F600"));
  EXPECT_TRUE(has_new_characters("a\U000105C0"));
  EXPECT_TRUE(has_new_characters("\u0897"));
}

TEST(RegexSyntax, WhatIsNoClassPassesAsItIs) {
  for (const char* pattern : {"a|b*?(?i:c)", "(?<!x)y\\.", "\\A\\z^$", "\\x{41}\\\\p", "(?=(?:ab){2,3})"}) {
    EXPECT_EQ(to_pcre2(pattern, CharacterSet::kUnicode16), pattern);
  }
}

TEST(RegexSyntax, SetsWithinSetsAreReckonedOut) {
  EXPECT_EQ(to_pcre2("[a-f&&[^c]]", CharacterSet::kUnicode16), "[\\x{61}-\\x{62}\\x{64}-\\x{66}]");
  EXPECT_EQ(to_pcre2("[^a[b-c]]", CharacterSet::kUnicode16), "[^\\x{61}-\\x{63}]");
  EXPECT_EQ(to_pcre2("[]a]", CharacterSet::kUnicode16), "[\\x{5d}\\x{61}]");
  EXPECT_EQ(to_pcre2("[a&&b]", CharacterSet::kUnicode16), "(?!)");
  EXPECT_EQ(to_pcre2("[^\\S\\n\\r]", CharacterSet::kUnicode16),
            "[\\x{9}\\x{b}-\\x{c}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}-\\x{2029}\\x{202f}"
            "\\x{205f}\\x{3000}]");
  EXPECT_EQ(to_pcre2("\\p{L}", CharacterSet::kUnicode14), "\\p{L}");
  EXPECT_EQ(to_pcre2("\\P{Lu}", CharacterSet::kUnicode14), "\\P{Lu}");
}

TEST(RegexSyntax, WhatIsNotUnderstoodIsLeftToPcre2) {
  EXPECT_EQ(to_pcre2("[\\101-\\103]x", CharacterSet::kUnicode16), "[\\101-\\103]x");
  EXPECT_EQ(split("[\\101-\\103]", "aBc"), (std::vector<std::string>{"a", "B", "c"}));
  EXPECT_THROW(split("[a-", "a"), FormatError);
  EXPECT_THROW(split("\\p{Klingon}", "a"), FormatError);
}

}  // namespace
}  // namespace caravel::text
