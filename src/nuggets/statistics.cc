#include "nuggets/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "base/percentile.h"
#include "nuggets/choose_tasks.h"

namespace caravel::nuggets {
namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

// Ranks from 0; equal values share the mean of theirs. No NaN.
std::vector<double> mean_ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + end - 1) / 2;
    begin = end;
  }
  return ranks;
}

double pearson(const std::vector<double>& x, const std::vector<double>& y) {
  const auto count = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / count;
  const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / count;
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (xx == 0 || yy == 0) return kNoNumber;
  return std::clamp(xy / std::sqrt(xx) / std::sqrt(yy), -1.0, 1.0);
}

Interval fisher_interval(double rho, double pairs, double confidence) {
  if (std::isnan(rho) || pairs < 4) return {-1, 1};
  const double z = normal_quantile((1 + confidence) / 2);
  const double error = z * std::sqrt((1 + rho * rho / 2) / (pairs - 3));
  return {std::tanh(std::atanh(rho) - error), std::tanh(std::atanh(rho) + error)};
}

}  // namespace

double normal_quantile(double p) {
  CARAVEL_CHECK(p > 0 && p < 1);
  // Bisection: the distribution function is in the standard library, its inverse is not.
  double low = -40;
  double high = 40;
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

Interval wilson_interval(int64_t wins, int64_t tasks, double confidence) {
  CARAVEL_CHECK(wins >= 0 && wins <= tasks);
  if (tasks == 0) return {0, 1};
  const double z = normal_quantile((1 + confidence) / 2);
  const auto n = static_cast<double>(tasks);
  const double share = static_cast<double>(wins) / n;
  const double scale = 1 + z * z / n;
  const double middle = (share + z * z / (2 * n)) / scale;
  const double half = z / scale * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  // At the ends the interval touches 0 and 1, which rounding would miss.
  return {wins == 0 ? 0 : std::max(0.0, middle - half), wins == tasks ? 1 : std::min(1.0, middle + half)};
}

RankCorrelation spearman(std::span<const double> x, std::span<const double> y, double confidence) {
  CARAVEL_CHECK_EQ(x.size(), y.size());
  std::vector<double> left;
  std::vector<double> right;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    left.push_back(x[i]);
    right.push_back(y[i]);
  }
  const double rho = left.size() < 2 ? kNoNumber : pearson(mean_ranks(left), mean_ranks(right));
  return {rho, fisher_interval(rho, static_cast<double>(left.size()), confidence), static_cast<int64_t>(left.size())};
}

SplitHalf split_half(std::span<const Outcome> outcomes, int64_t tasks, uint64_t seed, int splits) {
  CARAVEL_CHECK(tasks > 0);
  const auto width = static_cast<size_t>(tasks);
  CARAVEL_CHECK_EQ(outcomes.size() % width, size_t{0});
  const size_t candidates = outcomes.size() / width;
  std::vector<double> found;
  std::vector<double> scores[2];
  for (int split = 0; split < splits; ++split) {
    std::vector<size_t> half(width, 0);
    for (const size_t task : random_rows(width, width / 2, seed, static_cast<uint32_t>(split))) half[task] = 1;
    for (auto& side : scores) side.assign(candidates, kNoNumber);
    for (size_t candidate = 0; candidate < candidates; ++candidate) {
      int64_t wins[2] = {};
      int64_t done[2] = {};
      for (size_t task = 0; task < width; ++task) {
        const Outcome outcome = outcomes[candidate * width + task];
        if (outcome == Outcome::kNotScored) continue;
        ++done[half[task]];
        if (outcome == Outcome::kWin) ++wins[half[task]];
      }
      for (int side = 0; side < 2; ++side) {
        if (done[side] > 0) scores[side][candidate] = static_cast<double>(wins[side]) / static_cast<double>(done[side]);
      }
    }
    const double rho = spearman(scores[0], scores[1]).rho;
    if (!std::isnan(rho)) found.push_back(rho);
  }
  if (found.empty()) return {kNoNumber, {-1, 1}, kNoNumber, 0};
  std::sort(found.begin(), found.end());
  const double rho = std::accumulate(found.begin(), found.end(), 0.0) / static_cast<double>(found.size());
  return {rho,
          {percentile(found, 0.05), percentile(found, 0.95)},
          std::max(-1.0, 2 * rho / (1 + rho)),
          static_cast<int64_t>(found.size())};
}

}  // namespace caravel::nuggets
