#include "cli/windowed_score.h"

#include <gmock/gmock.h>

#include <numeric>

namespace caravel::cli {
namespace {

using Tokens = std::vector<int32_t>;
using ::testing::ElementsAre;

Tokens tokens(int32_t first, int32_t end) {
  Tokens ids(static_cast<size_t>(end - first));
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

/// Scores in which a token's log-probability is its negative, and even ones are greedy.
std::vector<std::vector<Score>> scores_of(const std::vector<ScoreRequest::Item>& items) {
  std::vector<std::vector<Score>> scores;
  for (const ScoreRequest::Item& item : items) {
    std::vector<Score>& of_item = scores.emplace_back();
    for (const Tokens& continuation : item.continuations) {
      Score& score = of_item.emplace_back();
      for (const int32_t token : continuation) {
        score.logprob -= token;
        score.tokens.push_back(token);
        score.token_logprobs.push_back(static_cast<float>(-token));
        score.is_greedy.push_back(token % 2 == 0);
      }
    }
  }
  return scores;
}

TEST(WindowedScore, ALongContinuationIsScoredTokenByTokenAndJoined) {
  const ScoreRequest::Item item{.prefix = tokens(0, 3), .continuations = {tokens(3, 20)}};
  const WindowedScore windowed({item}, 8, 4);
  for (const ScoreRequest::Item& window : windowed.items()) {
    ASSERT_EQ(1U, window.continuations.size());
    EXPECT_LE(window.prefix.size() + window.continuations[0].size(), 8U);
    EXPECT_EQ(window.prefix.back() + 1, window.continuations[0].front());
  }
  const auto scores = windowed.join(scores_of(windowed.items()));
  ASSERT_EQ(1U, scores.size());
  const auto expected = scores_of({item});
  ASSERT_EQ(1U, scores[0].size());
  EXPECT_EQ(expected[0][0].tokens, scores[0][0].tokens);
  EXPECT_EQ(expected[0][0].token_logprobs, scores[0][0].token_logprobs);
  EXPECT_EQ(expected[0][0].is_greedy, scores[0][0].is_greedy);
  EXPECT_EQ(expected[0][0].logprob, scores[0][0].logprob);
}

TEST(WindowedScore, WindowsOfTheLongPrefixAloneAreLeftOut) {
  const WindowedScore windowed({{.prefix = tokens(0, 100), .continuations = {tokens(100, 102)}}}, 8, 4);
  ASSERT_EQ(1U, windowed.items().size());
  EXPECT_EQ(tokens(96, 100), windowed.items()[0].prefix);
  EXPECT_THAT(windowed.items()[0].continuations, ElementsAre(tokens(100, 102)));
}

TEST(WindowedScore, WhatFitsIsScoredWholeInItsPlace) {
  const std::vector<ScoreRequest::Item> items = {
      {.prefix = tokens(0, 4), .continuations = {tokens(4, 6), tokens(4, 30), tokens(4, 8)}},
      {.prefix = tokens(50, 52), .continuations = {tokens(52, 53)}}};
  const WindowedScore windowed(items, 8, 2);
  const auto scores = windowed.join(scores_of(windowed.items()));
  const auto expected = scores_of(items);
  ASSERT_EQ(2U, scores.size());
  for (size_t i = 0; i < 2; ++i) {
    ASSERT_EQ(expected[i].size(), scores[i].size());
    for (size_t k = 0; k < expected[i].size(); ++k) EXPECT_EQ(expected[i][k].tokens, scores[i][k].tokens);
  }
}

}  // namespace
}  // namespace caravel::cli
