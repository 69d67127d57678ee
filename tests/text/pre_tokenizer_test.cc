#include "text/pre_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "text/tokenizer_data.h"
#include "text/tokenizer_fixture.h"

namespace caravel::text {
namespace {

using Step = TokenizerData::SplitStep;
using Behavior = Step::Behavior;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> split(const std::vector<Step>& steps, std::string_view text) {
  const PreTokenizer pre_tokenizer(steps);
  const auto pieces = pre_tokenizer.split(text);
  return {pieces.begin(), pieces.end()};
}

std::vector<std::string> split_named(std::string_view name, std::string_view text) {
  return split(named_pre_tokenizer(name).steps, text);
}

TEST(PreTokenizer, BehavioursAreThoseOfTokenizers) {
  const auto by = [](Behavior behavior) {
    return split({{.pattern = "-", .is_regex = false, .behavior = behavior}}, "the-final--countdown");
  };
  EXPECT_THAT(by(Behavior::kIsolated), ElementsAre("the", "-", "final", "-", "-", "countdown"));
  EXPECT_THAT(by(Behavior::kRemoved), ElementsAre("the", "final", "countdown"));
  EXPECT_THAT(by(Behavior::kMergedWithPrevious), ElementsAre("the-", "final-", "-", "countdown"));
  EXPECT_THAT(by(Behavior::kMergedWithNext), ElementsAre("the", "-final", "-", "-countdown"));
  EXPECT_THAT(by(Behavior::kContiguous), ElementsAre("the", "-", "final", "--", "countdown"));
}

TEST(PreTokenizer, InvertSwapsMatchesAndGaps) {
  EXPECT_THAT(split({{.pattern = "[a-z]+", .invert = true, .behavior = Behavior::kRemoved}}, "ab 12 cd"),
              ElementsAre("ab", "cd"));
}

TEST(PreTokenizer, LiteralsAreNotPatterns) {
  EXPECT_THAT(split({{.pattern = "a.(b)|#", .is_regex = false}}, "xa.(b)|#axb"), ElementsAre("x", "a.(b)|#", "axb"));
}

TEST(PreTokenizer, StepsRunWithinThePiecesOfTheOneBefore) {
  // The look-ahead of the second step does not see the digits that the first has cut off.
  EXPECT_THAT(split({{.pattern = R"(\d)"}, {.pattern = R"(\s+(?!\S)|\s+)"}}, "a  1"), ElementsAre("a", "  ", "1"));
}

TEST(PreTokenizer, AnEmptyMatchIsABorder) {
  EXPECT_THAT(split({{.pattern = R"((?=(\d{3})+(?!\d)))"}}, "1234567"), ElementsAre("1", "234", "567"));
  EXPECT_THAT(split({{.pattern = ""}}, "\u00E9a"), ElementsAre("\u00E9", "a"));
}

TEST(PreTokenizer, NoStepsNoSplit) {
  EXPECT_THAT(split({}, "a b c"), ElementsAre("a b c"));
  EXPECT_THAT(split({}, ""), ElementsAre());
}

TEST(PreTokenizer, MetaspaceWritesItsMarkBeforeItSplits) {
  const auto marked = [](Step::Prefix prefix, bool splits, std::string_view text, TextPlace place = {}) {
    const PreTokenizer pre_tokenizer({{.pattern = "-", .is_regex = false},
                                      {.pattern = "_",
                                       .is_regex = false,
                                       .behavior = Behavior::kMergedWithNext,
                                       .splits = splits,
                                       .space_mark = "_",
                                       .prefix = prefix}});
    const Pieces pieces = pre_tokenizer.split(text, place);
    return std::vector<std::string>(pieces.begin(), pieces.end());
  };
  using Prefix = Step::Prefix;
  EXPECT_THAT(marked(Prefix::kNever, true, "a b  c"), ElementsAre("a", "_b", "_", "_c"));
  EXPECT_THAT(marked(Prefix::kNever, false, "a b  c"), ElementsAre("a_b__c"));
  EXPECT_THAT(marked(Prefix::kAlways, false, "a-b- c"), ElementsAre("_a", "_-", "_b", "_-", "_c"));
  EXPECT_THAT(marked(Prefix::kFirst, false, "a-b"), ElementsAre("_a", "-", "b"));
  EXPECT_THAT(marked(Prefix::kFirst, false, " a"), ElementsAre("_a"));
  EXPECT_THAT(marked(Prefix::kFirst, false, "a", {.begins_input = false}), ElementsAre("a"));
  EXPECT_THAT(marked(Prefix::kFirst, false, "-a", {.in_front = 1}), ElementsAre("_-", "_a"))
      << "what was put in front is not the input's beginning";
}

TEST(PreTokenizer, NamedOnes) {
  const std::string text = "I'll  pay 1234 \u00BD'S\n\n x";
  EXPECT_THAT(split_named("gpt-2", text),
              ElementsAre("I", "'ll", " ", " pay", " 1234", " \u00BD", "'", "S", "\n\n", " x"));
  EXPECT_THAT(split_named("smollm", text),
              ElementsAre("I", "'ll", " ", " pay", " ", "1", "2", "3", "4", " ", "\u00BD", "'", "S", "\n\n", " x"));
  EXPECT_THAT(split_named("llama-bpe", text),
              ElementsAre("I", "'ll", " ", " pay", " ", "123", "4", " ", "\u00BD", "'S", "\n\n", " x"));
  EXPECT_THAT(split_named("qwen2", text),
              ElementsAre("I", "'ll", " ", " pay", " ", "1", "2", "3", "4", " ", "\u00BD", "'S", "\n\n", " x"));
  EXPECT_THAT(split_named("tekken", "HTTPServer don't"), ElementsAre("HTTPServer", " don", "'t"));
  EXPECT_THAT(split_named("gpt-4o", "HTTPServer don't"), ElementsAre("HTTPServer", " don't"));
  EXPECT_THAT(split_named("deepseek-v3", "12345 \u4E2D\u6587abc!x"),
              ElementsAre("123", "45", " ", "\u4E2D\u6587", "abc", "!x"));
}

TEST(PreTokenizer, NamesThatLlamaCppsConverterWrites) {
  const std::string text = "It's 1234567 \u4E2D\u6587abc, ok\n\n";
  EXPECT_THAT(split_named("deepseek-llm", text),
              ElementsAre("It", "'", "s", " ", "1234567", " ", "\u4E2D\u6587", "abc", ",", " ok", "\n", "\n"));
  EXPECT_THAT(split_named("superbpe", text), ElementsAre("It's ", "1", "234", "567", " \u4E2D\u6587abc, ok\n\n"));
  EXPECT_THAT(split_named("bloom", text), ElementsAre("It's", " 1234567", " \u4E2D\u6587abc", ",", " ok", "\n\n"));
  EXPECT_THAT(split_named("viking", "a 12."), ElementsAre("a", " ", "1", "2", "."));
  EXPECT_THAT(split_named("kimi-k2", text),
              ElementsAre("It's", " ", "123", "456", "7", " ", "\u4E2D\u6587", "abc", ",", " ok", "\n\n"));
  EXPECT_THAT(split_named("afmoe", "1234567 ok"), ElementsAre("1", "234", "567", " ok"));
  EXPECT_THAT(split_named("tiny_aya", "1234567 ok"), ElementsAre("1", "234", "567", " ok"));
  EXPECT_THAT(split_named("jais-2", "a       b"), ElementsAre("a", "    ", "  ", " b"));
  EXPECT_THAT(split_named("exaone-moe", "ab cd 12"), ElementsAre("ab cd", " ", "1", "2"));
  EXPECT_THAT(split_named("laguna", "a\n\nb"), ElementsAre("a", "\n\n", "b"));
  EXPECT_THAT(split_named("chameleon", "IMGIMGABZ 1"), ElementsAre("IMGIMGABZ", " ", "1"));
}

TEST(PreTokenizer, SpacesAreUnicodesWhiteSpace) {
  EXPECT_THAT(split({{.pattern = R"(\s)"}}, "a\u0085b\u180Ec\u3000d"),
              ElementsAre("a", "\u0085", "b\u180Ec", "\u3000", "d"));
  EXPECT_THAT(split({{.pattern = R"([^\S\n]+)"}}, "a \u00A0\nb"), ElementsAre("a", " \u00A0", "\nb"));
}

TEST(PreTokenizer, NothingIsLostAndLongTextsDoNotFail) {
  const auto check = [](const char* name, size_t longest) {
    const PreTokenizer pre_tokenizer(named_pre_tokenizer(name).steps);
    std::vector<std::string> texts = fixture_texts();
    for (const char* unit : {"a", "A", " ", "\n", "7", "!", "'", "\u4E2D", "\u0301", "aA", " \t", "\r\n", "\u00BD "}) {
      std::string text;
      while (text.size() < longest) text += unit;
      texts.push_back(text);
      texts.push_back(text + "x");
    }
    for (const std::string& text : texts) {
      std::string joined;
      for (const auto piece : pre_tokenizer.split(text)) {
        ASSERT_FALSE(piece.empty());
        joined += piece;
      }
      ASSERT_EQ(joined, text) << name;
    }
  };
  for (const char* name : {"gpt-2",          "smollm",
                           "llama-bpe",      "dbrx",
                           "qwen2",          "stablelm2",
                           "qwen35",         "tekken",
                           "gpt-4o",         "deepseek-v3",
                           "deepseek-coder", "falcon",
                           "bailingmoe",     "seed-coder",
                           "minicpm5",       "default",
                           "deepseek-llm",   "viking",
                           "poro-chat",      "bloom",
                           "kimi-k2",        "jais-2",
                           "youtu",          "laguna",
                           "chameleon",      "granite-embed-multi-97m",
                           "afmoe"}) {
    check(name, 100'000);
  }
  // These look ahead to the end of a run of digits, at each of its groups.
  for (const char* name : {"superbpe", "tiny_aya"}) check(name, 2'000);
}

TEST(PreTokenizer, GroupsThatRepeatTakeLongTexts) {
  // Such a pattern keeps a frame per repeat, more than PCRE2's own stack holds.
  const std::string text(200'000, 'a');
  EXPECT_THAT(split({{.pattern = "(?:a|b)+c|(?:(a)|b)+"}}, text), ElementsAre(text));
}

TEST(PreTokenizer, ErrorsNameTheirCause) {
  try {
    named_pre_tokenizer("made-up");
    FAIL();
  } catch (const Unsupported& error) {
    EXPECT_THAT(error.what(), HasSubstr("made-up"));
  }
  try {
    PreTokenizer({{.pattern = "a(b"}});
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), HasSubstr("a(b"));
  }
  EXPECT_THROW(split({{.pattern = "(a+)+$"}}, std::string(40, 'a') + "b"), FormatError);  // would take for ever
}

}  // namespace
}  // namespace caravel::text
