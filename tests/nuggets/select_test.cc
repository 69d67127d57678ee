#include "nuggets/select.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "nuggets/decide.h"

namespace caravel::nuggets {
namespace {

using Became = Verdict::Kind;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::vector<Became> kinds(const std::vector<Verdict>& verdicts) {
  std::vector<Became> all;
  for (const Verdict& verdict : verdicts) all.push_back(verdict.kind);
  return all;
}

size_t selected(const std::vector<Verdict>& verdicts) {
  return static_cast<size_t>(
      std::count_if(verdicts.begin(), verdicts.end(), [](const Verdict& v) { return v.kind == Became::kSelected; }));
}

class SelectTest : public testing::Test {
 protected:
  std::vector<Verdict> select_by(Rule rule, std::span<const std::string_view> texts = {}) {
    return select(candidates_, {.rule = rule, .texts = texts}, pool_);
  }

  ThreadPool pool_{2};
  std::vector<Candidate> candidates_ = {
      {.id = "a", .golden_score = 0.8, .gain = 0.1},  {.id = "b", .golden_score = 0.9, .gain = -0.5},
      {.id = "c", .golden_score = kNone, .gain = 9},  {.id = "d", .golden_score = 0.8, .gain = 0.2},
      {.id = "e", .golden_score = 0.8, .gain = 0.1},  {.id = "f", .golden_score = 0.8, .gain = kNone},
      {.id = "g", .golden_score = 0.79, .gain = 5.0},
  };
};

TEST_F(SelectTest, RanksByScoreThenGainThenOrder) {
  EXPECT_THAT(ranked(candidates_), ElementsAre(1, 3, 0, 4, 5, 6)) << "no score: no rank; no gain: last of its score";
}

TEST_F(SelectTest, ByThreshold) {
  const auto verdicts = select_by({Rule::Kind::kThreshold, 0.8});
  EXPECT_THAT(kinds(verdicts), ElementsAre(Became::kSelected, Became::kSelected, Became::kNoScore, Became::kSelected,
                                           Became::kSelected, Became::kSelected, Became::kBelowThreshold));
  EXPECT_THAT(verdicts[6].why, AllOf(HasSubstr("0.79"), HasSubstr("0.8")));
  EXPECT_THAT(verdicts[2].why, HasSubstr("no golden score"));
  EXPECT_EQ(verdicts[0].why, "");
}

TEST_F(SelectTest, ByCountAndShare) {
  const auto two = select_by({Rule::Kind::kTopCount, 2});
  EXPECT_THAT(kinds(two), ElementsAre(Became::kBelowRank, Became::kSelected, Became::kNoScore, Became::kSelected,
                                      Became::kBelowRank, Became::kBelowRank, Became::kBelowRank));
  EXPECT_THAT(two[0].why, AllOf(HasSubstr("number 3"), HasSubstr("2 are taken")));
  EXPECT_EQ(selected(select_by({Rule::Kind::kTopCount, 100})), 6U);
  EXPECT_EQ(selected(select_by({Rule::Kind::kTopCount, 0})), 0U);
  EXPECT_EQ(selected(select_by({Rule::Kind::kTopShare, 0.5})), 3U) << "of the six with a score";
  EXPECT_EQ(selected(select_by({Rule::Kind::kTopShare, 0.01})), 1U);
  EXPECT_EQ(selected(select_by({Rule::Kind::kTopShare, 1})), 6U);
}

TEST_F(SelectTest, SharesAreExact) {
  for (size_t rows = 1; rows <= 400; ++rows) {
    candidates_.assign(rows, {.id = "x", .golden_score = 0.5, .gain = 0});
    for (const size_t percent : {1U, 5U, 7U, 29U, 55U, 100U}) {
      const auto verdicts = select_by({Rule::Kind::kTopShare, parse_share(std::to_string(percent) + "%")});
      ASSERT_EQ(selected(verdicts), (rows * percent + 99) / 100) << percent << "% of " << rows;
    }
  }
}

TEST_F(SelectTest, OfNearDuplicatesTheBestStaysAndTheNextMovesUp) {
  const std::string long_text = "write a short poem about the sea and the wind in the style of an old sailor";
  const std::vector<std::string_view> texts = {long_text, "b b b b", "c", long_text, long_text, "f f f f", "g g g g"};
  const auto verdicts = select_by({Rule::Kind::kTopCount, 3}, texts);
  EXPECT_THAT(kinds(verdicts),
              ElementsAre(Became::kNearDuplicate, Became::kSelected, Became::kNoScore, Became::kSelected,
                          Became::kNearDuplicate, Became::kSelected, Became::kBelowRank));
  EXPECT_THAT(verdicts[0].why, AllOf(HasSubstr("100%"), HasSubstr("same as d")));
}

TEST_F(SelectTest, DiverseRowsAreLeftOfWhatTheRuleTakes) {
  // g alone lies apart, but is below the threshold; of the others d does.
  const std::vector<float> embeddings = {1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, -1, 0};
  const auto verdicts = select(
      candidates_,
      {.rule = {Rule::Kind::kThreshold, 0.8}, .embeddings = {.values = embeddings, .width = 2}, .diverse = 2}, pool_);
  EXPECT_THAT(kinds(verdicts), ElementsAre(Became::kSelected, Became::kNotDiverse, Became::kNoScore, Became::kSelected,
                                           Became::kNotDiverse, Became::kNotDiverse, Became::kBelowThreshold));
  EXPECT_THAT(verdicts[1].why, AllOf(HasSubstr("the 2 "), HasSubstr("the 5 ")));
}

// Whatever comes in: a verdict for each row, as many as the rule says, and nobody left out who is better.
TEST_F(SelectTest, NobodyBetterIsLeftOut) {
  std::mt19937 random(6);
  for (int round = 0; round < 500; ++round) {
    candidates_.resize(random() % 40);
    for (Candidate& candidate : candidates_) {
      candidate.golden_score = random() % 8 == 0 ? kNone : static_cast<double>(random() % 6) / 5;
      candidate.gain = random() % 8 == 0 ? kNone : static_cast<double>(random() % 4);
    }
    const size_t count = random() % 30;
    const auto verdicts = select_by({Rule::Kind::kTopCount, static_cast<double>(count)});
    ASSERT_EQ(verdicts.size(), candidates_.size());
    const auto scored = static_cast<size_t>(std::count_if(
        candidates_.begin(), candidates_.end(), [](const Candidate& c) { return !std::isnan(c.golden_score); }));
    EXPECT_EQ(selected(verdicts), std::min(count, scored));
    for (size_t in = 0; in < verdicts.size(); ++in) {
      for (size_t out = 0; out < verdicts.size(); ++out) {
        if (verdicts[in].kind != Became::kSelected || verdicts[out].kind != Became::kBelowRank) continue;
        EXPECT_GE(candidates_[in].golden_score, candidates_[out].golden_score);
        if (candidates_[in].golden_score == candidates_[out].golden_score && !std::isnan(candidates_[out].gain)) {
          EXPECT_GE(candidates_[in].gain, candidates_[out].gain);
        }
      }
    }
  }
}

TEST(ParseShare, TakesPercentAndFractions) {
  EXPECT_DOUBLE_EQ(parse_share("5%"), 0.05);
  EXPECT_DOUBLE_EQ(parse_share("0.05"), 0.05);
  EXPECT_DOUBLE_EQ(parse_share("100%"), 1);
  for (const auto* const wrong : {"", "%", "0", "-5%", "101%", "5", "nan", "inf", "five", "5 %"}) {
    EXPECT_THROW(parse_share(wrong), InvalidArgument) << wrong;
  }
}

TEST(ThresholdTable, CountsWhatEachThresholdLeaves) {
  const std::vector<Candidate> candidates = {{.id = "a", .golden_score = 0.8, .gain = 0, .length = 10},
                                             {.id = "b", .golden_score = 1, .gain = 0, .length = 40},
                                             {.id = "c", .golden_score = kNone, .gain = 0, .length = 7},
                                             {.id = "d", .golden_score = 0, .gain = 0, .length = 1}};
  const std::vector<float> embeddings = {1, 0, 0, 1, 1, 0, 1, 0};
  const auto table = threshold_table(candidates, kThresholds, {.values = embeddings, .width = 2});
  ASSERT_EQ(table.size(), 11U);
  for (const ThresholdRow& row : table) {
    EXPECT_EQ(row.rows, row.threshold <= 0.8 ? 2U : 1U) << row.threshold;
    EXPECT_EQ(row.mean_length, row.threshold <= 0.8 ? 25 : 40);
    EXPECT_NEAR(row.mean_distance, row.threshold <= 0.8 ? 1 : 0, 1e-6);
  }
  EXPECT_TRUE(std::isnan(threshold_table(candidates, kThresholds, {}).front().mean_distance));
  const std::vector<double> high = {2.0};
  const auto nothing = threshold_table(candidates, high, {});
  EXPECT_EQ(nothing.front().rows, 0U);
  EXPECT_EQ(nothing.front().mean_length, 0);
}

}  // namespace
}  // namespace caravel::nuggets
