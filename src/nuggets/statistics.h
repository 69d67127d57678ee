#pragma once

#include <cstdint>
#include <span>

namespace caravel::nuggets {

struct Interval {
  double low;
  double high;
  bool operator==(const Interval&) const = default;
};

/// Where the share of all tasks that an example wins lies, by `wins` of the `tasks` that were drawn from them: the
/// score interval of Wilson, "Probable inference, the law of succession, and statistical inference" (JASA 22, 1927).
/// [0, 1] of no tasks. confidence in (0, 1).
Interval wilson_interval(int64_t wins, int64_t tasks, double confidence = 0.95);

/// The z below which a standard normal variable lies with probability p, in (0, 1).
double normal_quantile(double p);

struct RankCorrelation {
  double rho;         // in [-1, 1]; NaN where there are fewer than 2 pairs, or one side is all the same
  Interval interval;  // [-1, 1] where there are fewer than 4 pairs or rho is NaN
  int64_t pairs;      // that were counted
};

/// Spearman's rank correlation, equal values sharing their mean rank; pairs with a NaN are left out. The interval is
/// Fisher's with the variance of Bonett and Wright, "Sample size requirements for estimating Pearson, Kendall and
/// Spearman correlations" (Psychometrika 65, 2000): good to about |rho| 0.9, an approximation where many values are
/// equal. `x` and `y` are equally long.
RankCorrelation spearman(std::span<const double> x, std::span<const double> y, double confidence = 0.95);

/// What a candidate did to a task.
enum class Outcome : int8_t { kNotScored = -1, kLoss = 0, kWin = 1 };

struct SplitHalf {
  double rho;              // mean over the splits; NaN where no split has two different scores on both sides
  Interval splits;         // the 5th and the 95th percentile of them
  double whole;            // of the score from all tasks: 2 rho / (1 + rho), at least -1
  int64_t splits_counted;  // those whose rho is a number
};

/// How stable golden scores are: the tasks are split in two at random, each half gives a score to every candidate, and
/// the ranks of both are compared; `splits` times. What the score of all tasks is worth follows from the halves'
/// (Spearman and Brown, British Journal of Psychology 3, 1910). A candidate without a task in one half is left out of
/// that split. outcomes: [candidates, tasks].
SplitHalf split_half(std::span<const Outcome> outcomes, int64_t tasks, uint64_t seed, int splits = 20);

}  // namespace caravel::nuggets
