#include "nuggets/diversity.h"

#include <algorithm>
#include <numeric>
#include <queue>

#include "nuggets/shares.h"

namespace caravel::nuggets {
namespace {

// Rows whose gains are summed apart: always the same ones, so that sums do not depend on the pool.
constexpr size_t kBlock = 512;
// Candidates that are measured in one go at most: a block of rows comes from memory once for all of these.
constexpr size_t kMostTogether = 64;
// Multiplications below which waking the pool takes longer than they do.
constexpr size_t kLittle = size_t{1} << 20;

/// An upper bound of a row's gain: exact as of `picks`.
struct Bound {
  double gain;
  size_t row;
  size_t picks;
  // The greatest gain comes first, of equal ones the first row.
  bool operator<(const Bound& other) const { return gain != other.gain ? gain < other.gain : row > other.row; }
};

/// What `candidate` would add for the rows [begin, end).
double gain_in(const Matrix& rows, size_t candidate, const std::vector<float>& covered, size_t begin, size_t end) {
  double gain = 0;
  for (size_t i = begin; i < end; ++i) {
    gain += std::max(0.0F, dot(rows.row(i), rows.row(candidate)) - covered[i]);
  }
  return gain;
}

/// What each of the candidates would add. Each sum has one order, whatever the pool and the other candidates.
std::vector<double> gains_of(const Matrix& rows, std::span<const size_t> candidates, const std::vector<float>& covered,
                             ThreadPool& pool) {
  const size_t count = candidates.size();
  const size_t blocks = (rows.rows() + kBlock - 1) / kBlock;
  std::vector<double> parts(blocks * count);  // [blocks, candidates]
  const auto measure = [&](int64_t begin, int64_t end) {
    for (auto part = static_cast<size_t>(begin); part < static_cast<size_t>(end); ++part) {
      const size_t first = part / count * kBlock;
      parts[part] = gain_in(rows, candidates[part % count], covered, first, std::min(first + kBlock, rows.rows()));
    }
  };
  if (count * rows.values.size() < kLittle) {
    measure(0, static_cast<int64_t>(parts.size()));
  } else {
    in_shares(pool, static_cast<int64_t>(parts.size()), measure);
  }
  std::vector<double> gains(count, 0);
  for (size_t part = 0; part < parts.size(); ++part) gains[part % count] += parts[part];
  return gains;
}

/// The gains of all rows while nothing is covered.
std::vector<Bound> first_bounds(const Matrix& rows, const std::vector<float>& covered, ThreadPool& pool) {
  std::vector<size_t> all(rows.rows());
  std::iota(all.begin(), all.end(), size_t{0});
  std::vector<Bound> bounds;
  for (size_t begin = 0; begin < all.size(); begin += kMostTogether) {
    const auto some = std::span(all).subspan(begin, std::min(kMostTogether, all.size() - begin));
    for (const double gain : gains_of(rows, some, covered, pool)) bounds.push_back({gain, bounds.size(), 0});
  }
  return bounds;
}

}  // namespace

std::vector<Pick> cover(const Matrix& embeddings, size_t budget, ThreadPool& pool) {
  if (embeddings.values.empty() || budget == 0) return {};
  check_rows(embeddings);
  const size_t rows = embeddings.rows();
  budget = std::min(budget, rows);
  std::vector<float> covered(rows, 0);  // likeness to the nearest pick
  // Each term of a gain only falls as more is covered, and so does their rounded sum in one order: a gain from before
  // is a bound of what it is now, to the bit, and the picks are those of the plain greedy algorithm.
  std::priority_queue<Bound> bounds({}, first_bounds(embeddings, covered, pool));
  std::vector<Pick> picks;
  std::vector<size_t> again;
  size_t together = 1;  // the more bounds turned out too high for this pick, the more are measured at a time
  while (picks.size() < budget) {
    again.clear();
    while (again.size() < together && !bounds.empty() && bounds.top().picks < picks.size()) {
      again.push_back(bounds.top().row);
      bounds.pop();
    }
    if (!again.empty()) {
      const std::vector<double> gains = gains_of(embeddings, again, covered, pool);
      for (size_t i = 0; i < again.size(); ++i) bounds.push({gains[i], again[i], picks.size()});
      together = std::min(2 * together, kMostTogether);
      continue;
    }
    const Bound best = bounds.top();
    bounds.pop();
    together = 1;
    picks.push_back({best.row, best.gain});
    for (size_t i = 0; i < rows; ++i) {
      covered[i] = std::max(covered[i], dot(embeddings.row(i), embeddings.row(best.row)));
    }
  }
  return picks;
}

double mean_distance(const Matrix& embeddings, std::span<const size_t> rows) {
  if (rows.size() < 2) return 0;
  // The dot products of all pairs are the squared length of the sum, less each vector's own.
  std::vector<double> sum(embeddings.width, 0);
  double own = 0;
  for (const size_t row : rows) {
    const auto vector = embeddings.row(row);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += vector[i];
    for (const float value : vector) own += static_cast<double>(value) * value;
  }
  double all = 0;
  for (const double value : sum) all += value * value;
  const auto count = static_cast<double>(rows.size());
  return 1 - (all - own) / (count * (count - 1));
}

}  // namespace caravel::nuggets
