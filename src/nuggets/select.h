#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_pool.h"
#include "nuggets/matrix.h"

namespace caravel::nuggets {

/// A row that was scored, or should have been. Its place in a list is its row.
struct Candidate {
  std::string_view id;
  double golden_score = std::numeric_limits<double>::quiet_NaN();  // in [0, 1]; NaN: it has none
  double gain = std::numeric_limits<double>::quiet_NaN();          // decides between equal scores; NaN: the least
  int64_t length = 0;                                              // tokens, for threshold_table()
};

/// The rows that have a golden score, the best first: by score, then by gain, then in their order.
std::vector<size_t> ranked(std::span<const Candidate> candidates);

/// How many to take.
struct Rule {
  enum class Kind : uint8_t {
    kThreshold,  // all whose golden score reaches `value`
    kTopShare,   // the best `value` of all that have a score, rounded up
    kTopCount,   // the best `value`
  };
  Kind kind;
  double value;
};

/// "5%" or "0.05". Throws InvalidArgument outside of (0, 1].
double parse_share(std::string_view text);

struct SelectOptions {
  Rule rule;
  std::span<const std::string_view> texts;  // by row; none: near-duplicates stay
  double likeness = 0.8;                    // from which on two texts are near-duplicates
  Matrix embeddings;                        // by row, of length 1; wanted where `diverse` is set
  size_t diverse = 0;                       // so many are left of those that the rule takes; 0: all
};

/// What became of a row.
struct Verdict {
  enum class Kind : uint8_t { kSelected, kNoScore, kBelowThreshold, kBelowRank, kNearDuplicate, kNotDiverse };
  Kind kind = Kind::kNoScore;
  std::string why;  // for people, with the numbers; empty where it was selected
};

/// Of near-duplicates the best stays, and what it pushes out gives its place under a rule of the best to the next; of
/// what the rule takes then, cover() takes the most diverse. One verdict a row; the same ones whatever the pool. Throws
/// InvalidArgument: see check_rows().
std::vector<Verdict> select(std::span<const Candidate> candidates, const SelectOptions& options, ThreadPool& pool);

struct ThresholdRow {
  double threshold;
  size_t rows;           // that reach it
  double mean_length;    // theirs; 0 of none
  double mean_distance;  // theirs (diversity.h); NaN without embeddings
};

inline constexpr std::array kThresholds = {0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0};

/// What each threshold would leave. embeddings: by row, of length 1, or none.
std::vector<ThresholdRow> threshold_table(std::span<const Candidate> candidates, std::span<const double> thresholds,
                                          const Matrix& embeddings);

}  // namespace caravel::nuggets
