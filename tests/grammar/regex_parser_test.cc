#include <gtest/gtest.h>

#include <regex>

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

TEST(Regex, RefusesByName) {
  expect_refused<Unsupported>(regex_spec("b((?=a)a)"), "look-ahead");
  expect_refused<Unsupported>(regex_spec("b(?=^a)a"), "look-ahead");
  expect_refused<Unsupported>(regex_spec("(?=a)*a"), "look-ahead");
  expect_refused<Unsupported>(regex_spec("(?<!a)a"), "look-behind");
  expect_refused<Unsupported>(regex_spec("(a)\\1"), "back-reference");
  expect_refused<Unsupported>(regex_spec("(?P<n>a)(?P=n)"), "back-reference");
  expect_refused<Unsupported>(regex_spec("\\bword"), "\\b");
  expect_refused<Unsupported>(regex_spec("\\p{L}+"), "\\p");
  expect_refused<Unsupported>(regex_spec("(?i)a"), "(?i");
  expect_refused<Unsupported>(regex_spec("a{1000000}"), "1000000");
  expect_refused<Unsupported>(regex_spec("((a?b?){500}c?){1000}"), "too large");
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
