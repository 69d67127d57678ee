#include "nuggets/stopping.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "nuggets/decide.h"

namespace caravel::nuggets {
namespace {

using Wins = std::vector<bool>;  // of a turn's tasks, in their order

RowScore row_with(const std::vector<Wins>& turns) {
  RowScore row;
  for (const Wins& wins : turns) {
    row.turns.emplace_back().tasks.resize(wins.size());
    std::iota(row.turns.back().tasks.begin(), row.turns.back().tasks.end(), 0);
  }
  return row;
}

/// Scores the first `wanted` tasks of each turn; false: that is no more than was scored.
bool score_until(RowScore& row, const std::vector<Wins>& turns, size_t wanted) {
  bool grows = false;
  for (size_t t = 0; t < turns.size(); ++t) {
    std::vector<PairScore>& scores = row.turns[t].scores;
    while (scores.size() < std::min(wanted, turns[t].size())) {
      scores.push_back({.task = static_cast<int>(scores.size()), .gain = turns[t][scores.size()] ? 1.0 : -1.0});
      grows = true;
    }
  }
  return grows;
}

/// As the scorer goes about it.
RowScore scored_by(const TaskTarget& target, const std::vector<Wins>& turns) {
  RowScore row = row_with(turns);
  while (score_until(row, turns, target(row))) {
  }
  return row;
}

RowScore scored_whole(const std::vector<Wins>& turns) { return scored_by(all_tasks(), turns); }

Wins random_wins(size_t tasks, double chance, std::mt19937& random) {
  Wins wins(tasks);
  for (size_t i = 0; i < tasks; ++i) wins[i] = std::bernoulli_distribution(chance)(random);
  return wins;
}

double any_threshold(std::mt19937& random) {
  constexpr double kUsual[] = {0.0, 0.3, 0.5, 2.0 / 3, 0.8, 0.95, 1.0};
  return random() % 2 == 0 ? kUsual[random() % std::size(kUsual)] : static_cast<double>(random() % 101) / 100;
}

TEST(AllTasks, AreAll) {
  const RowScore row = scored_whole({Wins(7, true), Wins(3, false)});
  EXPECT_EQ(row.left(), 0);
  EXPECT_EQ(row.golden_score(), 0.5);
}

TEST(UntilSettled, EndsWhereAllTasksWouldAndLooksNoFurtherThanAFewTasks) {
  std::mt19937 random(11);
  for (int round = 0; round < 20'000; ++round) {
    const auto tasks = static_cast<int64_t>(1 + random() % 60);
    const double threshold = any_threshold(random);
    const std::vector<Wins> turns = {
        random_wins(static_cast<size_t>(tasks), static_cast<double>(random() % 11) / 10, random)};
    // The shortest beginning of the order by which it is settled.
    int64_t least = 0;
    int64_t wins = 0;
    while (decide(wins, least, tasks, threshold) == Decision::kOpen) wins += turns[0][static_cast<size_t>(least++)];
    const Decision truth = decide(std::ranges::count(turns[0], true), tasks, tasks, threshold);

    const TaskTarget target = until_settled(threshold);
    RowScore row = row_with(turns);
    while (true) {
      const size_t wanted = target(row);
      const auto done = row.tasks();
      if (decide(row.wins(), done, tasks, threshold) == Decision::kOpen) {
        ASSERT_GE(wanted, static_cast<size_t>(done + 1)) << "it is open after " << done << " of " << tasks;
      } else {
        ASSERT_LE(wanted, static_cast<size_t>(done)) << "it is settled after " << done << " of " << tasks;
      }
      if (!score_until(row, turns, wanted)) break;
    }
    ASSERT_EQ(decide(row.wins(), row.tasks(), tasks, threshold), truth) << row.wins() << " of " << row.tasks();
    ASSERT_EQ(reaches(row.golden_score(), threshold), truth == Decision::kReached)
        << "what is kept of it is on the same side";
    ASSERT_LE(row.tasks(), least + 3) << tasks << " tasks, threshold " << threshold;
    ASSERT_GE(row.tasks(), least);
  }
}

TEST(UntilSettled, EndsOnTheRightSideWhateverTurnsARowHas) {
  std::mt19937 random(12);
  int64_t seen = 0;
  int64_t all = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<Wins> turns;
    for (size_t turn = 0; turn < 2 + random() % 4; ++turn) {
      turns.push_back(random_wins(random() % 30, static_cast<double>(random() % 11) / 10, random));
    }
    const double threshold = any_threshold(random);
    const RowScore row = scored_by(until_settled(threshold), turns);
    const RowScore whole = scored_whole(turns);
    const bool truth = reaches(whole.golden_score(), threshold);
    ASSERT_EQ(reaches(row.least(), threshold), truth) << "settled, and rightly";
    ASSERT_EQ(reaches(row.most(), threshold), truth);
    if (row.tasks() > 0) {
      ASSERT_EQ(reaches(row.golden_score(), threshold), truth);
    }
    seen += row.tasks();
    all += whole.tasks();
  }
  EXPECT_LT(seen, all * 3 / 4);
}

/// How often the race ends on the other side than all tasks would: `wins` in `rounds` random orders.
struct RacedShare {
  double wrong = 0;
  double seen = 0;
};
template <class MakeTurns>
RacedShare race_shuffled(double threshold, double risk, Wins wins, int rounds, const MakeTurns& turns_of) {
  const auto tasks = static_cast<int64_t>(wins.size());
  const TaskTarget target = until_raced(threshold, risk, tasks);
  std::mt19937 random(static_cast<uint32_t>(tasks));
  RacedShare share;
  for (int round = 0; round < rounds; ++round) {
    std::shuffle(wins.begin(), wins.end(), random);
    const std::vector<Wins> turns = turns_of(wins, random);
    const RowScore row = scored_by(target, turns);
    const RowScore whole = scored_whole(turns);
    EXPECT_GT(row.tasks(), 0);
    if (reaches(row.golden_score(), threshold) != reaches(whole.golden_score(), threshold)) share.wrong += 1.0 / rounds;
    share.seen += static_cast<double>(row.tasks()) / whole.tasks() / rounds;
  }
  return share;
}

Wins so_many_wins(int64_t wins, int64_t tasks) {
  Wins all(static_cast<size_t>(tasks));
  std::fill_n(all.begin(), std::clamp<int64_t>(wins, 0, tasks), true);
  return all;
}

TEST(UntilRaced, IsWrongNoMoreOftenThanItMay) {
  for (const int64_t tasks : {5, 12, 40, 100}) {
    for (const double threshold : {0.5, 0.8}) {
      for (const double risk : {0.05, 0.2}) {
        const int64_t needed = wins_needed(tasks, threshold);
        for (const int64_t wins : {int64_t{0}, needed - 10, needed - 3, needed - 1, needed, needed + 2, tasks}) {
          const RacedShare share = race_shuffled(threshold, risk, so_many_wins(wins, tasks), 3000,
                                                 [](const Wins& order, auto&) { return std::vector<Wins>{order}; });
          EXPECT_LE(share.wrong, risk) << wins << " of " << tasks << " at " << threshold;
        }
      }
    }
  }
}

TEST(UntilRaced, SeesFewTasksWhereItIsClear) {
  const auto one_turn = [](const Wins& order, auto&) { return std::vector<Wins>{order}; };
  EXPECT_LT(race_shuffled(0.8, 0.05, so_many_wins(40, 100), 1000, one_turn).seen, 0.15);
  EXPECT_LT(race_shuffled(0.5, 0.05, so_many_wins(95, 100), 1000, one_turn).seen, 0.15);
  EXPECT_EQ(race_shuffled(0.5, 0.05, so_many_wins(2, 5), 100, one_turn).wrong, 0) << "too few to race";
}

// A row's turns see each task together, and what helps with it in one turn mostly does in another: they are no draws of
// their own.
TEST(UntilRaced, TurnsThatWinTheSameTasksDoNotMakeItSurer) {
  for (const size_t turns : {2, 3, 8}) {
    for (const double threshold : {0.5, 0.8}) {
      const int64_t needed = wins_needed(60, threshold);
      for (const int64_t wins : {needed - 1, needed}) {
        const RacedShare share =
            race_shuffled(threshold, 0.05, so_many_wins(wins, 60), 2000,
                          [turns](const Wins& order, auto&) { return std::vector<Wins>(turns, order); });
        EXPECT_LE(share.wrong, 0.05) << turns << " turns, " << wins << " of 60 at " << threshold;
      }
    }
  }
}

// The mean of the turns' shares is not the share of all pairs that are won.
TEST(UntilRaced, TurnsOfFewTasksCountAsMuchAsThoseOfMany) {
  const RacedShare share = race_shuffled(0.5, 0.05, so_many_wins(20, 40), 2000, [](const Wins& order, auto&) {
    return std::vector<Wins>{Wins(order.begin(), order.begin() + 2), order};
  });
  EXPECT_LE(share.wrong, 0.05);
}

}  // namespace
}  // namespace caravel::nuggets
