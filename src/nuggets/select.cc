#include "nuggets/select.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/check.h"
#include "base/error.h"
#include "base/numbers.h"
#include "nuggets/decide.h"
#include "nuggets/diversity.h"
#include "nuggets/near_duplicates.h"

namespace caravel::nuggets {
namespace {

using Became = Verdict::Kind;

double gain_of(const Candidate& candidate) { return std::isnan(candidate.gain) ? -HUGE_VAL : candidate.gain; }

/// The most rows that the rule takes of so many with a score.
size_t most_of(const Rule& rule, size_t scored) {
  const auto all = static_cast<double>(scored);
  switch (rule.kind) {
    case Rule::Kind::kTopCount:
      return static_cast<size_t>(std::clamp(rule.value, 0.0, all));
    case Rule::Kind::kTopShare:
      // 5% of 100 is 5, though the product of the doubles may be a little more.
      return static_cast<size_t>(std::clamp(std::ceil(rule.value * all - kThresholdSlack), 0.0, all));
    default:
      return scored;
  }
}

/// For each of `rows` the one that it is a near-duplicate of, by its place in `rows`.
std::vector<std::optional<Near>> near_among(const std::vector<size_t>& rows, const SelectOptions& options,
                                            ThreadPool& pool) {
  if (options.texts.empty()) return std::vector<std::optional<Near>>(rows.size());
  std::vector<std::string_view> texts;
  texts.reserve(rows.size());
  for (const size_t row : rows) texts.push_back(options.texts[row]);
  return near_duplicates(texts, options.likeness, pool);
}

void keep_diverse(std::vector<size_t> taken, const SelectOptions& options, std::vector<Verdict>& verdicts,
                  ThreadPool& pool) {
  std::sort(taken.begin(), taken.end());
  const size_t width = options.embeddings.width;
  std::vector<float> vectors;
  vectors.reserve(taken.size() * width);
  for (const size_t row : taken) {
    const auto vector = options.embeddings.row(row);
    vectors.insert(vectors.end(), vector.begin(), vector.end());
  }
  std::vector<bool> picked(taken.size(), false);
  for (const Pick& pick : cover({.values = vectors, .width = width}, options.diverse, pool)) picked[pick.row] = true;
  for (size_t i = 0; i < taken.size(); ++i) {
    if (picked[i]) continue;
    verdicts[taken[i]] = {
        Became::kNotDiverse,
        fmt::format("is not among the {} that stand best for the {} that were left", options.diverse, taken.size())};
  }
}

}  // namespace

std::vector<size_t> ranked(std::span<const Candidate> candidates) {
  std::vector<size_t> order;
  for (size_t row = 0; row < candidates.size(); ++row) {
    if (!std::isnan(candidates[row].golden_score)) order.push_back(row);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const Candidate& x = candidates[a];
    const Candidate& y = candidates[b];
    return x.golden_score != y.golden_score ? x.golden_score > y.golden_score : gain_of(x) > gain_of(y);
  });
  return order;
}

double parse_share(std::string_view text) {
  const bool in_percent = text.ends_with('%');
  const auto number = parse_number<double>(text.substr(0, text.size() - (in_percent ? 1 : 0)));
  const double share = number.value_or(0) / (in_percent ? 100 : 1);
  if (!(share > 0 && share <= 1)) {
    throw fail<InvalidArgument>("'{}' is no share of the rows: give one such as 5% or 0.05, above 0 and at most 100%",
                                text);
  }
  return share;
}

std::vector<Verdict> select(std::span<const Candidate> candidates, const SelectOptions& options, ThreadPool& pool) {
  CARAVEL_CHECK(options.texts.empty() || options.texts.size() == candidates.size());
  CARAVEL_CHECK(options.diverse == 0 || options.embeddings.rows() == candidates.size());
  std::vector<Verdict> verdicts(candidates.size(), {Became::kNoScore, "has no golden score"});
  std::vector<size_t> order = ranked(candidates);
  const size_t most = most_of(options.rule, order.size());
  if (options.rule.kind == Rule::Kind::kThreshold) {
    const auto misses = [&](size_t row) { return !reaches(candidates[row].golden_score, options.rule.value); };
    const auto end = std::find_if(order.begin(), order.end(), misses);
    for (auto row = end; row != order.end(); ++row) {
      verdicts[*row] = {Became::kBelowThreshold, fmt::format("its golden score {:.4g} is below {:g}",
                                                             candidates[*row].golden_score, options.rule.value)};
    }
    order.erase(end, order.end());
  }
  const std::vector<std::optional<Near>> near = near_among(order, options, pool);
  std::vector<size_t> taken;
  for (size_t i = 0; i < order.size(); ++i) {
    Verdict& verdict = verdicts[order[i]];
    if (taken.size() == most) {
      verdict = {Became::kBelowRank, fmt::format("is number {} by golden score ({:.4g}), and {} are taken", i + 1,
                                                 candidates[order[i]].golden_score, most)};
    } else if (near[i]) {
      verdict = {Became::kNearDuplicate, fmt::format("is {:.0f}% the same as {}, which ranks higher",
                                                     100 * near[i]->likeness, candidates[order[near[i]->row]].id)};
    } else {
      verdict = {Became::kSelected, ""};
      taken.push_back(order[i]);
    }
  }
  if (options.diverse > 0 && options.diverse < taken.size()) keep_diverse(taken, options, verdicts, pool);
  return verdicts;
}

std::vector<ThresholdRow> threshold_table(std::span<const Candidate> candidates, std::span<const double> thresholds,
                                          const Matrix& embeddings) {
  std::vector<ThresholdRow> table;
  for (const double threshold : thresholds) {
    std::vector<size_t> rows;
    double length = 0;
    for (size_t row = 0; row < candidates.size(); ++row) {
      // A NaN reaches nothing.
      if (!reaches(candidates[row].golden_score, threshold)) continue;
      rows.push_back(row);
      length += static_cast<double>(candidates[row].length);
    }
    table.push_back(
        {threshold, rows.size(), rows.empty() ? 0 : length / static_cast<double>(rows.size()),
         embeddings.values.empty() ? std::numeric_limits<double>::quiet_NaN() : mean_distance(embeddings, rows)});
  }
  return table;
}

}  // namespace caravel::nuggets
