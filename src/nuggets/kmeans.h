#pragma once

#include <cstdint>
#include <vector>

#include "base/thread_pool.h"
#include "nuggets/matrix.h"

namespace caravel::nuggets {

struct Clusters {
  std::vector<float> centroids;      // [k, width]
  std::vector<uint32_t> cluster_of;  // [rows]: the nearest centroid, of equally near ones the first
  double squared_error = 0;          // the rows' squared distances to their centroids, summed
  int rounds = 0;
};

/// Lloyd's k-means ("Least squares quantization in PCM", IEEE Trans. Inf. Theory 28, 1982) from k-means++'s centroids
/// (Arthur and Vassilvitskii, SODA 2007, section 2.2), until no row moves, at most `most_rounds` rounds. No cluster of
/// a round is left empty while rows lie apart from their centroids: it begins anew at the row that is farthest from its
/// own. The same bits for a seed whatever the pool. 1 <= k <= rows <= 2^32 - 1. Throws InvalidArgument: see
/// check_rows().
Clusters kmeans(const Matrix& matrix, size_t k, uint64_t seed, ThreadPool& pool, int most_rounds = 100);

/// For each centroid the row that is nearest to it among those that no centroid before it took (of equally near ones
/// the first): as many distinct rows as centroids, in their order. At least as many rows as centroids.
std::vector<size_t> nearest_rows(const Matrix& matrix, const Clusters& clusters, ThreadPool& pool);

}  // namespace caravel::nuggets
