#include "nuggets/row_score.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string_view>

namespace caravel::nuggets {
namespace {

/// "W" a win, "L" a loss, "=" a gain of nothing, "." a task that is left.
TurnScore turn_of(std::string_view tasks) {
  TurnScore turn;
  for (size_t i = 0; i < tasks.size(); ++i) {
    const int task = static_cast<int>(i);
    turn.tasks.push_back(task);
    if (tasks[i] == '.') continue;
    turn.scores.push_back({.task = task, .gain = tasks[i] == 'W' ? 0.5 : tasks[i] == 'L' ? -0.25 : 0.0});
  }
  return turn;
}

RowScore row_of(const std::vector<std::string_view>& turns) {
  RowScore row;
  for (const std::string_view turn : turns) row.turns.push_back(turn_of(turn));
  return row;
}

TEST(RowScore, IsTheShareOfTasksThatAreWon) {
  const RowScore row = row_of({"WLWW="});
  EXPECT_EQ(row.golden_score(), 0.6) << "no gain is no win";
  EXPECT_EQ(row.wins(), 3);
  EXPECT_EQ(row.tasks(), 5);
  EXPECT_EQ(row.left(), 0);
  EXPECT_DOUBLE_EQ(row.gain(), (3 * 0.5 - 0.25) / 5);
  EXPECT_EQ(row.least(), row.golden_score());
  EXPECT_EQ(row.most(), row.golden_score());
}

TEST(RowScore, IsTheMeanOfTheTurnsHoweverManyTasksEachHas) {
  const RowScore row = row_of({"W", "LLWL", ""});
  EXPECT_EQ(row.golden_score(), (1 + 0.25) / 2) << "a turn that no task fits has none";
  EXPECT_EQ(row.wins(), 2);
  EXPECT_EQ(row.tasks(), 5);
  EXPECT_DOUBLE_EQ(row.gain(), (0.5 + (0.5 - 0.75) / 4) / 2);
}

TEST(RowScore, OfNothingIsNoScoreAndNoNaN) {
  for (const RowScore& row : {RowScore{}, row_of({""}), row_of({"", ""})}) {
    EXPECT_EQ(row.golden_score(), 0);
    EXPECT_EQ(row.gain(), 0);
    EXPECT_EQ(row.left(), 0);
  }
  const RowScore begun = row_of({"...", "...."});
  EXPECT_EQ(begun.golden_score(), 0);
  EXPECT_EQ(begun.gain(), 0);
  EXPECT_EQ(begun.left(), 7);
  EXPECT_EQ(begun.least(), 0);
  EXPECT_EQ(begun.most(), 1);
}

// All endings of a row lie between what it is at least and at most, and both come true.
TEST(RowScore, EndsBetweenItsBounds) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    RowScore row;
    for (size_t turn = 0; turn < 1 + random() % 3; ++turn) {
      std::string tasks;
      const size_t count = random() % 4;
      const size_t done = random() % (count + 1);
      for (size_t i = 0; i < count; ++i) tasks += i >= done ? '.' : random() % 2 == 0 ? 'W' : 'L';
      row.turns.push_back(turn_of(tasks));
    }
    double lowest = 2;
    double highest = -1;
    for (unsigned ending = 0; ending < 1U << row.left(); ++ending) {
      RowScore ended = row;
      unsigned wins = ending;
      for (TurnScore& turn : ended.turns) {
        while (turn.left() > 0) {
          turn.scores.push_back({.task = turn.tasks[turn.scores.size()], .gain = wins % 2 == 1 ? 1.0 : -1.0});
          wins /= 2;
        }
      }
      lowest = std::min(lowest, ended.golden_score());
      highest = std::max(highest, ended.golden_score());
    }
    ASSERT_DOUBLE_EQ(row.least(), lowest);
    ASSERT_DOUBLE_EQ(row.most(), highest);
  }
}

}  // namespace
}  // namespace caravel::nuggets
