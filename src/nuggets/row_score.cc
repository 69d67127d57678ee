#include "nuggets/row_score.h"

#include <algorithm>

namespace caravel::nuggets {
namespace {

template <class Sum>
int sum_of(const std::vector<TurnScore>& turns, const Sum& sum) {
  int total = 0;
  for (const TurnScore& turn : turns) total += sum(turn);
  return total;
}

/// Over the turns that have one.
template <class Value>
double mean_of(const std::vector<TurnScore>& turns, const Value& value) {
  double sum = 0;
  int count = 0;
  for (const TurnScore& turn : turns) {
    if (turn.tasks.empty()) continue;
    sum += value(turn);
    ++count;
  }
  return count == 0 ? 0 : sum / count;
}

double share(int part, size_t whole) { return whole == 0 ? 0 : part / static_cast<double>(whole); }

}  // namespace

int TurnScore::wins() const { return static_cast<int>(std::ranges::count_if(scores, &PairScore::wins)); }

int RowScore::wins() const {
  return sum_of(turns, [](const TurnScore& turn) { return turn.wins(); });
}

int RowScore::tasks() const {
  return sum_of(turns, [](const TurnScore& turn) { return static_cast<int>(turn.scores.size()); });
}

int RowScore::left() const {
  return sum_of(turns, [](const TurnScore& turn) { return turn.left(); });
}

double RowScore::golden_score() const {
  return mean_of(turns, [](const TurnScore& turn) { return share(turn.wins(), turn.scores.size()); });
}

double RowScore::least() const {
  return mean_of(turns, [](const TurnScore& turn) { return share(turn.wins(), turn.tasks.size()); });
}

double RowScore::most() const {
  return mean_of(turns, [](const TurnScore& turn) { return share(turn.wins() + turn.left(), turn.tasks.size()); });
}

double RowScore::gain() const {
  return mean_of(turns, [](const TurnScore& turn) {
    double sum = 0;
    for (const PairScore& score : turn.scores) sum += score.gain;
    return turn.scores.empty() ? 0 : sum / static_cast<double>(turn.scores.size());
  });
}

}  // namespace caravel::nuggets
