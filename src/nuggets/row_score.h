#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace caravel::nuggets {

/// A candidate's score on one task.
struct PairScore {
  int task = 0;         // its index
  double one_shot = 0;  // mean log-probability of the answer's tokens behind the candidate
  double gain = 0;      // how much more than zero-shot
  bool wins() const { return gain > 0; }
};

/// What is known of one turn of a candidate row.
struct TurnScore {
  std::vector<int> tasks;         // indices of those that it can be scored on, in the order in which it is
  std::vector<PairScore> scores;  // of the first of them
  int too_long = 0;               // tasks that it cannot, since both together exceed the context

  int wins() const;
  int left() const { return static_cast<int>(tasks.size() - scores.size()); }
};

/// What is known of a row, whose golden score is the mean of its turns' (Nuggets, section 3.3: the share of the tasks
/// whose one-shot score is more than their zero-shot score).
struct RowScore {
  std::vector<TurnScore> turns;
  std::string problem;  // not empty: why it has none

  int wins() const;
  int tasks() const;  // that were done
  int left() const;   // that were not
  /// Of the tasks that were done.
  double golden_score() const;
  /// What it is at least, and at most, whatever becomes of the tasks that are left.
  double least() const;
  double most() const;
  /// The mean gain in nats, of the tasks that were done.
  double gain() const;
};

/// On how many tasks each of a row's turns should be scored: no more than it was ends the row.
using TaskTarget = std::function<size_t(const RowScore&)>;

}  // namespace caravel::nuggets
