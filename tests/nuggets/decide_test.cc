#include "nuggets/decide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace caravel::nuggets {
namespace {

TEST(WinsNeeded, IsExactForEveryThresholdOfTwoPlaces) {
  for (int64_t tasks = 1; tasks <= 300; ++tasks) {
    for (int64_t hundredths = 0; hundredths <= 100; ++hundredths) {
      const double threshold = static_cast<double>(hundredths) / 100;
      const int64_t expected = (hundredths * tasks + 99) / 100;  // in integers
      ASSERT_EQ(wins_needed(tasks, threshold), expected) << hundredths << "% of " << tasks;
      for (int64_t wins = 0; wins <= tasks; ++wins) {
        ASSERT_EQ(reaches(static_cast<double>(wins) / static_cast<double>(tasks), threshold), wins >= expected)
            << wins << " of " << tasks << " at " << threshold;
      }
    }
  }
  EXPECT_EQ(wins_needed(3, 2.0 / 3), 2);
  EXPECT_EQ(wins_needed(1'000'000, 0.8), 800'000);
  EXPECT_GT(wins_needed(100, 1.01), 100);
}

// What is settled is settled whatever comes, and what is not could still go either way.
TEST(Decide, SaysWhatEveryContinuationSays) {
  for (int64_t tasks = 1; tasks <= 24; ++tasks) {
    for (const double threshold : {0.0, 0.1, 1.0 / 3, 0.5, 0.8, 0.95, 1.0}) {
      for (int64_t done = 0; done <= tasks; ++done) {
        for (int64_t wins = 0; wins <= done; ++wins) {
          bool can_reach = false;
          bool can_miss = false;
          for (int64_t more = 0; more <= tasks - done; ++more) {
            const bool reached = wins + more >= wins_needed(tasks, threshold);
            can_reach = can_reach || reached;
            can_miss = can_miss || !reached;
          }
          const Decision expected = can_reach && can_miss ? Decision::kOpen
                                    : can_reach           ? Decision::kReached
                                                          : Decision::kMissed;
          ASSERT_EQ(decide(wins, done, tasks, threshold), expected)
              << wins << " of " << done << " of " << tasks << " at " << threshold;
        }
      }
    }
  }
}

/// Over all orders of `won` wins and the losses: the probability that the race ends on the wrong side, and how many
/// tasks it sees on average. Exact, by counting paths.
struct RaceOutcome {
  double wrong = 0;
  double tasks_seen = 0;
};
RaceOutcome race_all_orders(const Race& race, int64_t won, int64_t tasks, double threshold) {
  const Decision truth = won >= wins_needed(tasks, threshold) ? Decision::kReached : Decision::kMissed;
  RaceOutcome outcome;
  std::vector<double> at(static_cast<size_t>(tasks) + 1, 0);  // by wins, of races still open
  at[0] = 1;
  for (int64_t done = 0; done <= tasks; ++done) {
    std::vector<double> next(at.size(), 0);
    for (int64_t wins = 0; wins <= done; ++wins) {
      const double chance = at[static_cast<size_t>(wins)];
      if (chance == 0) continue;
      const Decision decision = race.at(wins, done);
      if (decision != Decision::kOpen) {
        if (decision != truth) outcome.wrong += chance;
        outcome.tasks_seen += chance * static_cast<double>(done);
        continue;
      }
      const double win = static_cast<double>(won - wins) / static_cast<double>(tasks - done);
      if (win > 0) next[static_cast<size_t>(wins) + 1] += chance * win;
      if (win < 1) next[static_cast<size_t>(wins)] += chance * (1 - win);
    }
    at = next;
  }
  return outcome;
}

TEST(Race, IsWrongNoMoreOftenThanItMay) {
  for (const int64_t tasks : {10, 37, 100}) {
    std::vector<int64_t> every;
    for (int64_t done = 1; done < tasks; ++done) every.push_back(done);
    for (const double threshold : {0.3, 0.5, 0.8, 0.95}) {
      for (const double risk : {0.01, 0.1, 0.3}) {
        for (const auto& looks : {race_looks(tasks), every}) {
          const Race race(tasks, threshold, risk, looks);
          for (int64_t won = 0; won <= tasks; ++won) {
            ASSERT_LE(race_all_orders(race, won, tasks, threshold).wrong, risk)
                << won << " of " << tasks << " at " << threshold << ", risk " << risk;
          }
        }
      }
    }
  }
}

TEST(Race, EndsLongBeforeExactStoppingWhereItIsClear) {
  const Race race(100, 0.8, 0.05, race_looks(100));
  EXPECT_LT(race_all_orders(race, 40, 100, 0.8).tasks_seen, 15);
  const Race exact(100, 0.8, 0.05, {});
  EXPECT_GT(race_all_orders(exact, 40, 100, 0.8).tasks_seen, 30);
  EXPECT_EQ(race_all_orders(exact, 80, 100, 0.8).wrong, 0);
}

TEST(Race, KeepsToWhatIsSettled) {
  const Race never(20, 1.5, 0.1, race_looks(20));
  EXPECT_EQ(never.at(0, 0), Decision::kMissed);
  const Race always(20, 0.0, 0.1, race_looks(20));
  EXPECT_EQ(always.at(0, 0), Decision::kReached);
  const Race all(20, 1.0, 0.1, race_looks(20));
  EXPECT_EQ(all.at(0, 1), Decision::kMissed);
  EXPECT_EQ(all.at(8, 8), Decision::kOpen) << "one loss may still come";
}

TEST(RaceLooks, AreAscendingAndBelowTheTasks) {
  EXPECT_EQ(race_looks(40), (std::vector<int64_t>{8, 12, 18, 27}));
  EXPECT_TRUE(race_looks(8).empty());
}

TEST(HalvingRounds, HalveAndDouble) {
  EXPECT_EQ(halving_rounds(1000, 50, 128),
            (std::vector<Round>{{1000, 8}, {500, 16}, {250, 32}, {125, 64}, {100, 128}}));
  EXPECT_EQ(scores_in(halving_rounds(1000, 50, 128)), 1000 * 8 + 500 * 8 + 250 * 16 + 125 * 32 + 100 * 64);
  EXPECT_EQ(halving_rounds(1000, 50, 128, 40), (std::vector<Round>{{1000, 64}, {500, 128}}));
  EXPECT_EQ(halving_rounds(10, 10, 100), (std::vector<Round>{{10, 100}})) << "nothing to leave out";
  EXPECT_TRUE(halving_rounds(0, 5, 100).empty());
  EXPECT_TRUE(halving_rounds(5, 5, 0).empty());
}

TEST(HalvingRounds, KeepTheirPromises) {
  std::mt19937 random(3);
  for (int round = 0; round < 5000; ++round) {
    const auto candidates = static_cast<int64_t>(1 + random() % 5000);
    const auto keep = static_cast<int64_t>(1 + random() % 300);
    const auto tasks = static_cast<int64_t>(1 + random() % 1000);
    const auto first = static_cast<int64_t>(1 + random() % 20);
    const std::vector<Round> rounds = halving_rounds(candidates, keep, tasks, first);
    ASSERT_FALSE(rounds.empty());
    EXPECT_EQ(rounds.front().candidates, candidates);
    EXPECT_EQ(rounds.back().tasks, tasks);
    EXPECT_GE(rounds.front().tasks, std::min(first, tasks));
    EXPECT_GE(rounds.back().candidates, std::min(candidates, 2 * keep));
    for (size_t i = 1; i < rounds.size(); ++i) {
      EXPECT_LE(rounds[i].candidates, rounds[i - 1].candidates);
      EXPECT_GT(rounds[i].tasks, rounds[i - 1].tasks);
    }
    EXPECT_LE(scores_in(rounds), candidates * tasks);
  }
}

}  // namespace
}  // namespace caravel::nuggets
