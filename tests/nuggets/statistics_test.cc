#include "nuggets/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace caravel::nuggets {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Expected values in this file are scipy 1.17's: norm.ppf, binomtest(...).proportion_ci(method="wilson"), spearmanr.

TEST(NormalQuantile, IsTheInverseOfTheDistribution) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-12);
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-12);
  EXPECT_NEAR(normal_quantile(0.001), -3.090232306167813, 1e-12);
  EXPECT_NEAR(normal_quantile(1e-300), -37.0470962993612, 1e-9);
}

TEST(WilsonInterval, IsScipys) {
  const auto near = [](const Interval& found, double low, double high) {
    EXPECT_NEAR(found.low, low, 1e-12);
    EXPECT_NEAR(found.high, high, 1e-12);
  };
  near(wilson_interval(7, 10), 0.39677814746114526, 0.892208732593699);
  near(wilson_interval(80, 100, 0.99), 0.6798264673845552, 0.882841119985951);
  near(wilson_interval(1, 3, 0.9), 0.07826572633372841, 0.7464661317187758);
  near(wilson_interval(0, 10), 0, 0.27753279986288926);
  near(wilson_interval(10, 10), 0.7224672001371109, 1);
  EXPECT_EQ(wilson_interval(0, 0), (Interval{0, 1}));
  EXPECT_EQ(wilson_interval(0, 5).low, 0) << "to the bit";
  EXPECT_EQ(wilson_interval(5, 5).high, 1);
}

TEST(Spearman, IsScipys) {
  const std::vector<double> x = {1, 2, 2, 3, 5, 8, 8, 8, 0, -1.5};
  const std::vector<double> y = {2, 1, 4, 4, 4, 9, 7, 7, 1, 0};
  EXPECT_NEAR(spearman(x, y).rho, 0.9373086806880014, 1e-12);
}

/// From the definition: ranks by counting, and the correlation of these from all pairs.
double plain_spearman(const std::vector<double>& x, const std::vector<double>& y) {
  const auto ranks = [](const std::vector<double>& values) {
    std::vector<double> all;
    for (const double value : values) {
      double rank = 0;
      for (const double other : values) rank += other < value ? 1 : other == value ? 0.5 : 0;
      all.push_back(rank);
    }
    return all;
  };
  const std::vector<double> a = ranks(x);
  const std::vector<double> b = ranks(y);
  const auto covariance = [](const std::vector<double>& p, const std::vector<double>& q) {
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      for (size_t j = 0; j < p.size(); ++j) sum += (p[i] - p[j]) * (q[i] - q[j]);
    }
    return sum;
  };
  return covariance(a, b) / std::sqrt(covariance(a, a) * covariance(b, b));
}

TEST(Spearman, CountsTiesAsTheDefinitionDoes) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> x(3 + random() % 30);
    std::vector<double> y(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = static_cast<double>(random() % 8);
      y[i] = x[i] + static_cast<double>(random() % 8);
    }
    const RankCorrelation found = spearman(x, y);
    const double expected = plain_spearman(x, y);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(found.rho));
    } else {
      EXPECT_NEAR(found.rho, expected, 1e-12);
    }
  }
}

TEST(Spearman, LeavesOutPairsWithoutANumber) {
  const std::vector<double> x = {1, kNan, 2, 3, 4, 9};
  const std::vector<double> y = {4, 5, 3, 2, 1, kNan};
  const RankCorrelation found = spearman(x, y);
  EXPECT_EQ(found.pairs, 4);
  EXPECT_DOUBLE_EQ(found.rho, -1);
}

TEST(Spearman, OfNothingIsNoNumber) {
  EXPECT_TRUE(std::isnan(spearman({}, {}).rho));
  const std::vector<double> same = {1, 1, 1, 1, 1};
  const std::vector<double> rising = {1, 2, 3, 4, 5};
  const RankCorrelation found = spearman(same, rising);
  EXPECT_TRUE(std::isnan(found.rho));
  EXPECT_EQ(found.interval, (Interval{-1, 1}));
}

// Normal pairs of a known correlation: the share of samples whose interval holds the truth.
TEST(Spearman, IntervalHoldsTheTruthAsOftenAsItSays) {
  constexpr double kPearson = 0.6;
  const double truth = 6 / std::acos(-1.0) * std::asin(kPearson / 2);  // Spearman's, of a bivariate normal
  std::mt19937 random(11);
  std::normal_distribution<double> normal;
  constexpr int kSamples = 2000;
  int held = 0;
  for (int sample = 0; sample < kSamples; ++sample) {
    std::vector<double> x(60);
    std::vector<double> y(60);
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = normal(random);
      y[i] = kPearson * x[i] + std::sqrt(1 - kPearson * kPearson) * normal(random);
    }
    const Interval interval = spearman(x, y).interval;
    if (interval.low <= truth && truth <= interval.high) ++held;
  }
  EXPECT_NEAR(static_cast<double>(held) / kSamples, 0.95, 0.02);
}

std::vector<Outcome> outcomes_of(size_t candidates, size_t tasks, double spread, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit;
  std::vector<Outcome> outcomes;
  for (size_t i = 0; i < candidates; ++i) {
    const double ability = 0.5 + spread * (unit(random) - 0.5);
    for (size_t j = 0; j < tasks; ++j) outcomes.push_back(unit(random) < ability ? Outcome::kWin : Outcome::kLoss);
  }
  return outcomes;
}

TEST(SplitHalf, TellsSkillFromChance) {
  const SplitHalf chance = split_half(outcomes_of(400, 40, 0, 1), 40, 7);
  EXPECT_NEAR(chance.rho, 0, 0.1);
  const SplitHalf skill = split_half(outcomes_of(400, 40, 1, 2), 40, 7);
  EXPECT_GT(skill.rho, 0.8);
  EXPECT_LE(skill.splits.low, skill.rho);
  EXPECT_GE(skill.splits.high, skill.rho);
  EXPECT_DOUBLE_EQ(skill.whole, 2 * skill.rho / (1 + skill.rho));
  EXPECT_EQ(skill.splits_counted, 20);
}

TEST(SplitHalf, DependsOnTheSeedAlone) {
  const auto outcomes = outcomes_of(50, 20, 1, 3);
  EXPECT_EQ(split_half(outcomes, 20, 7).rho, split_half(outcomes, 20, 7).rho);
  EXPECT_NE(split_half(outcomes, 20, 7).rho, split_half(outcomes, 20, 8).rho);
}

TEST(SplitHalf, LeavesOutWhatWasNotScored) {
  // A candidate that was scored on nothing changes nothing.
  auto outcomes = outcomes_of(50, 20, 1, 3);
  const double before = split_half(outcomes, 20, 7).rho;
  outcomes.insert(outcomes.end(), 20, Outcome::kNotScored);
  EXPECT_EQ(split_half(outcomes, 20, 7).rho, before);
  const std::vector<Outcome> none(100, Outcome::kNotScored);
  const SplitHalf nothing = split_half(none, 20, 7);
  EXPECT_TRUE(std::isnan(nothing.rho));
  EXPECT_EQ(nothing.splits_counted, 0);
}

}  // namespace
}  // namespace caravel::nuggets
