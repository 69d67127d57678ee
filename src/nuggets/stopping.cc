#include "nuggets/stopping.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "nuggets/decide.h"

namespace caravel::nuggets {
namespace {

size_t done_of(const RowScore& row) {
  size_t done = 0;
  for (const TurnScore& turn : row.turns) done = std::max(done, turn.scores.size());
  return done;
}

/// By how much one more task of each turn can move the golden score.
double step_of(const RowScore& row) {
  double sum = 0;
  int turns = 0;
  for (const TurnScore& turn : row.turns) {
    if (turn.tasks.empty()) continue;
    sum += 1 / static_cast<double>(turn.tasks.size());
    ++turns;
  }
  return sum / std::max(turns, 1);
}

/// A race among as many tasks as a row has, with the looks at it.
struct RowRace {
  std::vector<int64_t> looks;
  Race race;
};

}  // namespace

TaskTarget all_tasks() {
  return [](const RowScore&) { return std::numeric_limits<size_t>::max(); };
}

TaskTarget until_settled(double threshold) {
  return [threshold](const RowScore& row) -> size_t {
    constexpr double kFewest = 4;
    if (reaches(row.least(), threshold) || !reaches(row.most(), threshold)) return 0;
    const double step = step_of(row);
    const double to_reach = std::ceil((threshold - kThresholdSlack - row.least()) / step);
    const double to_miss = std::floor((row.most() - threshold + kThresholdSlack) / step) + 1;
    return done_of(row) + static_cast<size_t>(std::max(std::min(to_reach, to_miss), kFewest));
  };
}

TaskTarget until_raced(double threshold, double risk, int64_t tasks) {
  // Rows that say the same as a task have fewer, so there are few kinds of races.
  auto races = std::make_shared<std::map<int64_t, RowRace>>();
  return [=, settled = until_settled(threshold)](const RowScore& row) -> size_t {
    // Turns see each task together, and mostly win it together: their wins are no draws of their own.
    if (row.turns.size() > 1) return settled(row);
    const int64_t of_row = row.tasks() + row.left();
    auto found = races->find(of_row);
    if (found == races->end()) {
      const std::vector<int64_t> looks = race_looks(of_row);
      found = races->try_emplace(of_row, RowRace{looks, Race(of_row, threshold, risk, looks)}).first;
    }
    const auto& [looks, race] = found->second;
    const int64_t done = row.tasks();
    if (done > 0 && race.at(row.wins(), done) != Decision::kOpen) return 0;
    const auto next = std::ranges::upper_bound(looks, done);
    return static_cast<size_t>(next == looks.end() ? tasks : *next);
  };
}

}  // namespace caravel::nuggets
