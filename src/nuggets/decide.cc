#include "nuggets/decide.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace caravel::nuggets {
namespace {

/// log of n over k; minus infinity where there is no such choice.
double log_choose(int64_t n, int64_t k) {
  if (k < 0 || k > n) return -HUGE_VAL;
  const auto log_factorial = [](int64_t m) {
    int sign;  // lgamma_r, unlike lgamma, writes to no global variable
    return lgamma_r(static_cast<double>(m) + 1, &sign);
  };
  return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

/// Of `tasks`, `all_wins` are won, and `done` were seen: that `wins` of these were won.
double probability(int64_t wins, int64_t done, int64_t all_wins, int64_t tasks) {
  return std::exp(log_choose(all_wins, wins) + log_choose(tasks - all_wins, done - wins) - log_choose(tasks, done));
}

}  // namespace

int64_t wins_needed(int64_t tasks, double threshold) {
  return std::max<int64_t>(0, std::llround(std::ceil((threshold - kThresholdSlack) * static_cast<double>(tasks))));
}

Decision decide(int64_t wins, int64_t done, int64_t tasks, double threshold) {
  CARAVEL_CHECK(wins >= 0 && wins <= done && done <= tasks);
  const int64_t needed = wins_needed(tasks, threshold);
  if (wins >= needed) return Decision::kReached;
  return wins + (tasks - done) < needed ? Decision::kMissed : Decision::kOpen;
}

Race::Race(int64_t tasks, double threshold, double risk, std::span<const int64_t> looks)
    : tasks_(tasks), threshold_(threshold) {
  CARAVEL_CHECK(risk > 0 && risk < 1);
  // A little less than its share, for what rounding adds to the sums.
  const double share = risk / static_cast<double>(std::max<size_t>(1, looks.size())) * (1 - 1e-9);
  const int64_t needed = wins_needed(tasks, threshold);
  for (const int64_t done : looks) {
    CARAVEL_CHECK(done > (looks_.empty() ? 0 : looks_.back().done) && done < tasks);
    Look look = {done, -1, done + 1};
    // The most wins that would be so few by chance too seldom, were the threshold just reached; more wins in all make
    // few even rarer.
    if (needed <= tasks) {
      for (double tail = 0; look.missed < done; ++look.missed) {
        tail += probability(look.missed + 1, done, needed, tasks);
        if (tail > share) break;
      }
    }
    // The same from above, were it missed by one win.
    if (needed > 0 && needed <= tasks) {
      for (double tail = 0; look.reached > 0; --look.reached) {
        tail += probability(look.reached - 1, done, needed - 1, tasks);
        if (tail > share) break;
      }
    }
    looks_.push_back(look);
  }
}

Decision Race::at(int64_t wins, int64_t done) const {
  if (const Decision settled = decide(wins, done, tasks_, threshold_); settled != Decision::kOpen) return settled;
  const auto look = std::lower_bound(looks_.begin(), looks_.end(), done,
                                     [](const Look& entry, int64_t count) { return entry.done < count; });
  if (look == looks_.end() || look->done != done) return Decision::kOpen;
  if (wins <= look->missed) return Decision::kMissed;
  return wins >= look->reached ? Decision::kReached : Decision::kOpen;
}

std::vector<int64_t> race_looks(int64_t tasks) {
  std::vector<int64_t> looks;
  for (int64_t done = 8; done < tasks; done += done / 2) looks.push_back(done);
  return looks;
}

std::vector<Round> halving_rounds(int64_t candidates, int64_t keep, int64_t tasks, int64_t first) {
  CARAVEL_CHECK(keep > 0 && first > 0);
  if (candidates <= 0 || tasks <= 0) return {};
  const int64_t last = std::min(candidates, 2 * keep);
  // Halvings until the last round's candidates are left, or its tasks, halved as often, would be too few.
  int halvings = 0;
  while ((candidates >> halvings) > last && (tasks >> (halvings + 1)) >= first) ++halvings;
  std::vector<Round> rounds;
  for (int round = 0; round <= halvings; ++round) {
    rounds.push_back({std::max(last, candidates >> round), tasks >> (halvings - round)});
  }
  return rounds;
}

int64_t scores_in(std::span<const Round> rounds) {
  int64_t scores = 0;
  int64_t seen = 0;
  for (const Round& round : rounds) {
    scores += round.candidates * (round.tasks - seen);
    seen = round.tasks;
  }
  return scores;
}

}  // namespace caravel::nuggets
