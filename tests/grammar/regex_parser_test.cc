#include "grammar/regex_parser.h"

#include <gtest/gtest.h>

#include <regex>

#include "base/unicode_classes.h"
#include "base/utf8.h"
#include "grammar/automaton.h"
#include "grammar/fsm.h"
#include "grammar/testing.h"

namespace caravel::grammar {
namespace {

TEST(Regex, MatchesTheWholeText) {
  expect_texts(regex_spec("a|b+c"), {"a", "bc", "bbbc"}, {"", "b", "ab", "bca"});
  expect_texts(regex_spec("(ab){2,3}?x?"), {"abab", "ababab", "ababx"}, {"ab", "abababab", "xabab"});
  expect_texts(regex_spec("[^a-c\\d]{1,}"), {"x", "de f\n", "é日"}, {"", "a", "x5"});
  expect_texts(regex_spec("(?<year>\\d{4})-(?:0[1-9]|1[0-2])"), {"2024-02", "1999-12"}, {"2024-13", "24-01"});
  expect_texts(regex_spec("."), {"a", "é", "日", "😀"}, {"", "\n", "\r", "ab", "\xC3", "\xED\xA0\x80"});
  expect_texts(regex_spec("[à-ö😀]"), {"é", "😀"}, {"a", "\xC3", "😁"});
  expect_texts(regex_spec("\\x41\\u00e9\\u{1F600}\\uD83D\\uDE00\\t\\."), {"Aé😀😀\t."}, {"Aé😀😀\tx"});
  expect_texts(regex_spec("\\w\\W\\s\\S"), {"a- b", "_é\u00A0x"}, {"aa b", "a-bb"});
  expect_texts(regex_spec("a{2}b{0}c{1,}"), {"aac", "aaccc"}, {"aabc", "ac"});
  expect_texts(regex_spec(""), {""}, {"a"});
}

TEST(Regex, AnchorsHoldWhereverTheyStand) {
  expect_texts(regex_spec("^a$|^b|c$"), {"a", "b", "c"}, {"", "ab"});
  expect_texts(regex_spec("(^a|b)*"), {"", "a", "ab", "bb"}, {"ba", "aa"});
  expect_texts(regex_spec("(a$|b)*"), {"", "a", "ba", "bb"}, {"ab"});
  expect_texts(regex_spec("a(^|b)c"), {"abc"}, {"ac"});
}

TEST(Regex, LookAheadIsExactOutsideOfGroups) {
  expect_texts(regex_spec("^(?=.*\\d)(?=.*[a-z])[a-z\\d-]{3,5}$"), {"a-1", "1aaaa"}, {"aaa", "111", "a1", "aaaaa1"});
  expect_texts(regex_spec("(?!foo$)[a-z]+"), {"fo", "fooo", "bar"}, {"foo", ""});
  expect_texts(regex_spec("a(?=b|c)[a-d]+|(?!x)."), {"ab", "acd", "d"}, {"ad", "x"});
  expect_refused<InvalidArgument>(regex_spec("a(?=b)"), "nothing can match");
}

TEST(Regex, LongRepetitionsAreCountedAsIfWrittenOut) {
  const auto times = [](const std::string& text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
  };
  expect_texts(regex_spec("x[a-c]{300,302}y"), {"x" + times("a", 300) + "y", "x" + times("c", 302) + "y"},
               {"x" + times("a", 299) + "y", "x" + times("a", 303) + "y"});
  expect_texts(regex_spec(".{0,100000}"), {"", times("日", 5000)}, {"\n"});
  expect_texts(regex_spec("(?:ab|cd){400,}"), {times("abcd", 200), times("ab", 900)}, {times("ab", 399), "a"});
  expect_texts(regex_spec("(?:[a-z]{300};){300}"), {times(times("q", 300) + ";", 300)},
               {times(times("q", 300) + ";", 299), times(times("q", 301) + ";", 300)});
  // What the next byte does not tell is written out: each a may be a part, or two of them.
  expect_texts(regex_spec("(?:a|aa){300}"), {times("a", 300), times("a", 600), times("a", 431)},
               {times("a", 299), times("a", 601)});
}

TEST(Regex, PropertiesAreThoseOfUnicode16) {
  expect_texts(regex_spec("\\p{L}+"), {"aÄжא日ऄ", "\U000105C0"}, {"a1", "a\u0301", "", "_", "\xC3"});
  expect_texts(regex_spec("\\P{L}+"), {"1 _\n", "\u0301😀"}, {"a", "1日", "\xED\xA0\x80"});
  expect_texts(regex_spec("\\p{Lu}\\p{Ll}*"), {"Äöü", "Ж"}, {"äöü", "ǅ"});
  expect_texts(regex_spec("[\\p{Lu}\\d_-]+"), {"Ä1_-"}, {"ä", "٣"});
  expect_texts(regex_spec("[^\\p{L}\\P{Lowercase}]"), {"ⅰ"}, {"a", "1"});  // a number, and lower case
  expect_texts(regex_spec("\\p{Script=Han}+|\\p{sc=Greek}+|\\p{Hiragana}+"), {"日本", "αΩ", "ひら"}, {"日α", "カ"});
  expect_texts(regex_spec("\\p{ASCII}\\p{White_Space}\\p{Any}"), {"a\u3000日"}, {"é\u3000日", "a_日"});
  expect_texts(regex_spec("\\p{L}{2,300}x"), {"abx", std::string(300, 'b') + "x"},
               {"ax", std::string(302, 'b') + "x", "a1x"});
  // "punct" is ECMAScript's second name of the category, and no symbol's.
  expect_texts(regex_spec("\\p{punct}\\p{digit}\\p{cntrl}"), {"!٣\n"}, {"+٣\n", "!x\n", "!٣x"});
  expect_refused<InvalidArgument>(regex_spec("\\p{Surrogate}"), "nothing can match");

  const std::pair<const char*, const char*> same[] = {
      {"L", "Letter"},           {"Lu", "General_Category=Uppercase_Letter"},
      {"LC", "gc=Cased_Letter"}, {"M", "Combining_Mark"},
      {"N", "gc=Number"},        {"Nd", "gc=Decimal_Number"},
      {"P", "Punctuation"},      {"S", "gc=Symbol"},
      {"Z", "Separator"},        {"Zs", "Space_Separator"},
      {"C", "gc=Other"},         {"Cf", "Format"}};
  for (const auto& [name, other] : same) {
    const auto machine = [](const std::string& property) {
      return make_dfa(*parse_regex("\\p{" + property + "}"), "it");
    };
    const Fsm one = machine(name);
    EXPECT_TRUE(is_empty(intersect(one, complement(machine(other), "it"), "it"))) << name;
    EXPECT_TRUE(is_empty(intersect(machine(other), complement(one, "it"), "it"))) << name;
  }
}

TEST(Regex, EveryCharacterIsInItsCategoryAlone) {
  std::vector<Fsm> machines;
  std::vector<Fsm> opposites;
  for (int i = 0; i < kGeneralCategories; ++i) {
    const std::string name(category_name(static_cast<GeneralCategory>(i)));
    machines.push_back(make_dfa(*parse_regex("\\p{" + name + "}"), "a category"));
    opposites.push_back(make_dfa(*parse_regex("[^\\p{gc=" + name + "}]"), "a category"));
  }
  for (char32_t c = 0; c <= kLastCodePoint; c += c < 0x3000 ? 1 : 61) {
    const auto category = static_cast<size_t>(category_of(c));
    if (category_of(c) == GeneralCategory::kCs) continue;
    std::string text;
    append_utf8(c, text);
    for (size_t i = 0; i < machines.size(); ++i) {
      ASSERT_EQ(machines[i].accepts(text), i == category) << static_cast<uint32_t>(c) << " and " << i;
      ASSERT_EQ(opposites[i].accepts(text), i != category) << static_cast<uint32_t>(c) << " and " << i;
    }
  }
}

TEST(Regex, AClassOfManyRangesCostsAFewStates) {
  EXPECT_LT(Automaton(parse_spec(regex_spec("\\p{L}+"))).size(), 400U);
  EXPECT_LT(Automaton(parse_spec(regex_spec("\\p{L}{1,100}"))).size(), 400U);
  EXPECT_LT(Automaton(parse_spec(regex_spec("[^\\p{L}\\p{N}]{1,256}"))).size(), 400U);
}

TEST(Regex, RefusesByName) {
  expect_refused<Unsupported>(regex_spec("b((?=a)a)"), "look-ahead");
  expect_refused<Unsupported>(regex_spec("b(?=^a)a"), "look-ahead");
  expect_refused<Unsupported>(regex_spec("(?=a)*a"), "look-ahead");
  expect_refused<Unsupported>(regex_spec("(?<!a)a"), "look-behind");
  expect_refused<Unsupported>(regex_spec("(a)\\1"), "back-reference");
  expect_refused<Unsupported>(regex_spec("(?P<n>a)(?P=n)"), "back-reference");
  expect_refused<Unsupported>(regex_spec("\\bword"), "\\b");
  expect_refused<Unsupported>(regex_spec("a\\p{Emoji}"), "\\p{Emoji}");
  expect_refused<Unsupported>(regex_spec("a\\p{Emoji}"), "byte 1");
  expect_refused<Unsupported>(regex_spec("\\p{Script_Extensions=Han}"), "Script_Extensions=Han");
  expect_refused<Unsupported>(regex_spec("\\P{Script=Klingon}"), "Script=Klingon");
  expect_refused<Unsupported>(regex_spec("\\p{gc=Han}"), "gc=Han");
  expect_refused<Unsupported>(regex_spec("\\p{word}"), "\\p{word}");
  expect_refused<InvalidArgument>(regex_spec("\\pL"), "\\p needs");
  expect_refused<InvalidArgument>(regex_spec("[\\P{L]"), "\\P needs");
  expect_refused<InvalidArgument>(regex_spec("\\p{}"), "\\p needs");
  expect_refused<InvalidArgument>(regex_spec("\\p{L\n}"), "\\p needs");
  expect_refused<InvalidArgument>(regex_spec("[\\p{L}-z]"), "range");
  expect_refused<Unsupported>(regex_spec("(?i)a"), "(?i");
  expect_refused<Unsupported>(regex_spec("a{1000000}"), "1000000");
  expect_refused<Unsupported>(regex_spec("((a?b?){500}c?){1000}"), "too large");
  expect_refused<Unsupported>(regex_spec(std::string(1'000'000, 'a')), "too large: it has 1000000 bytes");
  expect_refused<InvalidArgument>(regex_spec("(a"), "not closed");
  expect_refused<InvalidArgument>(regex_spec("a)"), "unmatched");
  expect_refused<InvalidArgument>(regex_spec("*a"), "nothing to repeat");
  expect_refused<InvalidArgument>(regex_spec("[z-a]"), "range");
  expect_refused<InvalidArgument>(regex_spec("a\\"), "backslash");
  expect_refused<InvalidArgument>(regex_spec("\\q"), "\\q");
  expect_refused<InvalidArgument>(regex_spec("\xFF"), "UTF-8");
  expect_refused<InvalidArgument>(regex_spec("[]"), "nothing can match");
}

TEST(Regex, AgreesWithTheStandardLibraryOnEveryShortText) {
  std::vector<std::string> texts = {""};
  for (size_t i = 0; i < texts.size() && texts[i].size() < 5; ++i) {
    for (const char c : {'a', 'b', 'c'}) texts.push_back(texts[i] + c);
  }
  std::mt19937 random(3);
  const auto make = [&](auto& self, int depth) -> std::string {
    switch (depth == 0 ? random() % 3 : random() % 9) {
      case 0:
        return "a";
      case 1:
        return "[bc]";
      case 2:
        return "[^b]";
      case 3:
        return "(?:" + self(self, depth - 1) + "|" + self(self, depth - 1) + ")";
      case 4:
        return "(?:" + self(self, depth - 1) + ")*";
      case 5:
        return "(?:" + self(self, depth - 1) + "){1,2}";
      case 6:
        return "(" + self(self, depth - 1) + ")?";
      default:
        return self(self, depth - 1) + self(self, depth - 1);
    }
  };
  for (int i = 0; i < 60; ++i) {
    const std::string pattern = make(make, 4);
    const std::regex reference(pattern, std::regex::ECMAScript);
    StateSpace space = make_space(parse_spec(regex_spec(pattern)));
    for (const std::string& text : texts) {
      ASSERT_EQ(space.complete(space.advance(space.start(), text)), std::regex_match(text, reference))
          << pattern << " on '" << text << "'";
    }
  }
}

}  // namespace
}  // namespace caravel::grammar
