#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace caravel::nuggets {

/// A golden score counts as a threshold that it misses by no more: so 8 of 10 tasks reach 0.8, which no double is.
inline constexpr double kThresholdSlack = 1e-9;

inline bool reaches(double golden_score, double threshold) { return golden_score >= threshold - kThresholdSlack; }

/// The fewest wins of `tasks` with which a golden score reaches the threshold; more than `tasks` above 1. At most some
/// ten million tasks.
int64_t wins_needed(int64_t tasks, double threshold);

enum class Decision : uint8_t { kOpen, kReached, kMissed };

/// Exact stopping: what the golden score over all `tasks` will be is settled once the threshold is reached whatever
/// comes, or missed whatever comes. 0 <= wins <= done <= tasks.
Decision decide(int64_t wins, int64_t done, int64_t tasks, double threshold);

/// Racing: a candidate is decided as soon as the tasks seen so far say with confidence on which side of the threshold
/// the score over all tasks will come out (Maron and Moore, "Hoeffding races", NIPS 1993). The tasks are finitely many
/// and each is seen once, so wins follow the hypergeometric distribution, whose exact tails are used where Hoeffding's
/// inequality would need more tasks. With `looks` at the wins, each is allowed risk / looks (Bonferroni), so that
/// however often one looks, and whenever one stops, a candidate ends on the wrong side with a probability of at most
/// `risk`. That holds over the order in which the tasks come, which must be drawn at random without regard to what is
/// known of the wins; candidates that share an order are wrong together or not at all.
class Race {
 public:
  /// looks: after how many tasks one looks, ascending, at least 1 and below `tasks`; at other counts, and beyond the
  /// last, decide() alone settles. risk in (0, 1).
  Race(int64_t tasks, double threshold, double risk, std::span<const int64_t> looks);

  Decision at(int64_t wins, int64_t done) const;

 private:
  struct Look {
    int64_t done;
    int64_t missed;   // with so many wins or fewer
    int64_t reached;  // with so many or more
  };
  int64_t tasks_;
  double threshold_;
  std::vector<Look> looks_;
};

/// Looks that cost little and come early: 8, 12, 18, 27, ... below `tasks`.
std::vector<int64_t> race_looks(int64_t tasks);

/// One round of successive halving: so many candidates see tasks until each has seen so many in all.
struct Round {
  int64_t candidates;
  int64_t tasks;
  bool operator==(const Round&) const = default;
};

/// For the best `keep` of `candidates`: few tasks for all, then twice as many for the better half, and so on, until the
/// last round has seen all tasks (Karnin, Koren and Somekh, "Almost optimal exploration in multi-armed bandits", ICML
/// 2013, section 3; several winners as in Kalyanakrishnan and Stone, ICML 2010). At least 2 x `keep` candidates stay to
/// the last round, which picks `keep` of them by all tasks; the first round sees at least `first` tasks. No round:
/// there are no candidates or no tasks. What it risks has no bound without one on the scores' distances: a candidate
/// that is unlucky in its first tasks is gone.
std::vector<Round> halving_rounds(int64_t candidates, int64_t keep, int64_t tasks, int64_t first = 8);

/// Scores that the rounds take, counting a candidate and a task as one.
int64_t scores_in(std::span<const Round> rounds);

}  // namespace caravel::nuggets
