#include "chat/score_pairs.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "chat/byte_tokenizer.h"

namespace caravel::chat {
namespace {

class ScorePairsTest : public testing::Test {
 protected:
  ScorePairs parse(const char* text, size_t most = 8) const {
    const Json body = Json::parse(text);
    Fields fields(body);
    return parse_score_pairs(fields, tokenizer_, 258, most);
  }
  std::string path_of(const char* text) const {
    try {
      parse(text);
    } catch (const FieldError& error) {
      return error.path;
    }
    return "no error";
  }

  const Tokenizer tokenizer_ = byte_tokenizer();
};

TEST_F(ScorePairsTest, ContinuationsOfOnePrefixAreOneItem) {
  const ScorePairs pairs = parse(R"({"prefix": [1, 2], "continuations": [[3], [4, 5], [3]]})");
  ASSERT_EQ(pairs.items.size(), 1U);
  EXPECT_EQ(pairs.items[0].prefix, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(pairs.items[0].continuations, (std::vector<std::vector<int32_t>>{{3}, {4, 5}, {3}}));
  EXPECT_EQ(pairs.places, (std::vector<std::pair<size_t, size_t>>{{0, 0}, {0, 1}, {0, 2}}));
  EXPECT_EQ(pairs.tokens, 6U);
}

TEST_F(ScorePairsTest, WhiteSpaceAtTheSeamGoesToTheContinuation) {
  const ScorePairs pairs = parse(R"({"prefix": "ab ", "continuations": ["c", "dd"]})");
  ASSERT_EQ(pairs.items.size(), 1U);
  EXPECT_EQ(pairs.items[0].prefix, tokenizer_.encode("ab"));
  EXPECT_EQ(pairs.items[0].continuations[1], tokenizer_.encode(" dd", {.add_special = false}));
}

TEST_F(ScorePairsTest, AScoreIsThatOfItsPlace) {
  const ScorePairs pairs = parse(R"({"prefix": [1], "continuations": [[65], [66]]})");
  const std::vector<std::vector<Score>> scores = {
      {{.logprob = -1, .tokens = {65}, .token_logprobs = {-1}, .is_greedy = {true}},
       {.logprob = -2, .tokens = {66}, .token_logprobs = {-2}, .is_greedy = {false}}}};
  const Json second = score_json(pairs, scores, 1, tokenizer_);
  EXPECT_EQ(second["logprob"], -2);
  EXPECT_EQ(second["tokens"], Json::parse(R"(["B"])"));
  EXPECT_EQ(second["is_greedy"], false);
  EXPECT_EQ(score_json(pairs, scores, 0, tokenizer_)["is_greedy"], true);
}

TEST_F(ScorePairsTest, WhatIsWrongIsNamed) {
  EXPECT_EQ(path_of(R"({"continuations": ["a"]})"), "prefix");
  EXPECT_EQ(path_of(R"({"prefix": "a"})"), "continuations");
  EXPECT_EQ(path_of(R"({"prefix": "a", "continuations": []})"), "continuations");
  EXPECT_EQ(path_of(R"({"prefix": [1], "continuations": [[1],[1],[1],[1],[1],[1],[1],[1],[1]]})"), "continuations");
  EXPECT_EQ(path_of(R"({"prefix": 3, "continuations": ["a"]})"), "prefix");
  EXPECT_EQ(path_of(R"({"prefix": [258], "continuations": [[1]]})"), "prefix");
  EXPECT_EQ(path_of(R"({"prefix": [1], "continuations": [[1], "a"]})"), "continuations.1");
  EXPECT_EQ(path_of(R"({"prefix": "a", "continuations": ["b", ""]})"), "continuations.1");
}

}  // namespace
}  // namespace caravel::chat
