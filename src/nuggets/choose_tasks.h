#pragma once

#include <cstdint>
#include <vector>

#include "base/thread_pool.h"
#include "nuggets/matrix.h"

namespace caravel::nuggets {

/// `count` of [0, rows), ascending; all of them where there are no more. Each row has a random number of its own by the
/// seed (and the draw, where several are wanted), and those with the least are taken: so rows that are added at the end
/// put few others in the place of those that were chosen without them.
std::vector<size_t> random_rows(size_t rows, size_t count, uint64_t seed, uint32_t draw = 0);

/// `count` rows that stand for all: the nearest to each centroid of k-means with so many, ascending; all of them where
/// there are no more. Throws InvalidArgument: see check_rows().
std::vector<size_t> central_rows(const Matrix& embeddings, size_t count, uint64_t seed, ThreadPool& pool);

}  // namespace caravel::nuggets
