#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fields/json.h"
#include "nuggets/baselines.h"
#include "nuggets/row.h"
#include "nuggets/row_score.h"
#include "nuggets/select.h"
#include "nuggets/statistics.h"

namespace caravel::nuggets {

/// What is kept of a row's score: a line of a run's scores.jsonl.
struct CandidateScore {
  std::string id;            // the row's
  size_t number = 0;         // the row's, of its file
  std::string problem = {};  // not empty: why there is no score; the rest says nothing then
  double golden_score = 0;
  int wins = 0;
  int tasks = 0;               // that it was scored on
  Interval interval = {0, 1};  // of the golden score over all tasks that are like these, 95 %
  double gain = 0;             // mean, in nats
  /// Where it was decided before all tasks were done: what the score over all of them is at least and at most.
  std::optional<Interval> bounds = {};
  std::optional<Baselines> baselines = {};
};

CandidateScore summarize(const Row& row, const RowScore& score);

/// As it is ranked and selected: without a golden score where there is a problem. Its id is the score's, which outlives
/// it.
Candidate candidate_of(const CandidateScore& score);

/// One line, without its end.
std::string to_line(const CandidateScore& score);
/// Throws FormatError, which says what the line lacks.
CandidateScore parse_candidate_score(std::string_view line);

}  // namespace caravel::nuggets
