#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "nuggets/matrix.h"

namespace caravel::nuggets {

struct Pick {
  size_t row;
  double gain;  // what it added to the coverage
};

/// The `budget` rows (fewer where there are fewer) that cover all best, greedily, in the order in which they are
/// picked: facility location (Nemhauser, Wolsey and Fisher, Mathematical Programming 14, 1978; at least 1 - 1/e of the
/// best coverage), evaluated lazily (Minoux, 1978). Coverage is the sum over all rows of their likeness to the nearest
/// picked row: the dot product, or 0 where it is negative. Of equal gains the first row is picked. The rows are vectors
/// of length 1. The same picks whatever the pool. Memory in proportion to the rows; time to their square, times the
/// width, for the first pick (30,000 rows of 384: some three minutes on a core), and to what the lazy evaluation leaves
/// of that for each later one: the less, the more the rows differ in what they cover. Throws InvalidArgument: see
/// check_rows().
std::vector<Pick> cover(const Matrix& embeddings, size_t budget, ThreadPool& pool);

/// How different rows are: 1 less their dot product, on average over all pairs of `rows`; 0 of fewer than two. Their
/// embeddings are vectors of length 1. Time in proportion to the rows.
double mean_distance(const Matrix& embeddings, std::span<const size_t> rows);

}  // namespace caravel::nuggets
