#include "nuggets/kmeans.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include "base/check.h"
#include "base/philox.h"
#include "nuggets/shares.h"

namespace caravel::nuggets {
namespace {

constexpr float kFar = std::numeric_limits<float>::infinity();

Matrix centroids_of(const Clusters& clusters, size_t width) { return {.values = clusters.centroids, .width = width}; }

/// The row in which the running sum of the weights passes `chance` of their total; the first that is not taken where
/// all weigh nothing.
size_t draw_row(const std::vector<float>& weights, const std::vector<bool>& taken, double chance) {
  double total = 0;
  for (const float weight : weights) total += weight;
  if (total == 0) return static_cast<size_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
  double passed = 0;
  size_t last = 0;
  for (size_t row = 0; row < weights.size(); ++row) {
    if (weights[row] == 0) continue;
    last = row;
    passed += weights[row];
    if (passed > chance * total) break;
  }
  return last;
}

std::vector<float> first_centroids(const Matrix& matrix, size_t k, uint64_t seed, ThreadPool& pool) {
  const size_t rows = matrix.rows();
  std::vector<float> centroids;
  std::vector<bool> taken(rows, false);
  std::vector<float> distances(rows, kFar);  // squared, to the nearest centroid
  auto row = static_cast<size_t>(uniform(seed, 0, 0) * static_cast<double>(rows));
  while (true) {
    const auto centroid = matrix.row(row);
    taken[row] = true;
    centroids.insert(centroids.end(), centroid.begin(), centroid.end());
    if (centroids.size() == k * matrix.width) return centroids;
    in_shares(pool, static_cast<int64_t>(rows), [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        distances[i] = std::min(distances[i], squared_distance(matrix.row(i), centroid));
      }
    });
    row = draw_row(distances, taken, uniform(seed, 0, centroids.size() / matrix.width));
  }
}

/// Gives every row its nearest centroid; `distances` are squared. True: some row moved.
bool assign(const Matrix& matrix, Clusters& clusters, std::vector<float>& distances, ThreadPool& pool) {
  const Matrix centroids = centroids_of(clusters, matrix.width);
  std::atomic<bool> moved = false;
  in_shares(pool, static_cast<int64_t>(matrix.rows()), [&](int64_t begin, int64_t end) {
    bool any = false;
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      uint32_t nearest = 0;
      float least = kFar;
      for (uint32_t c = 0; c < centroids.rows(); ++c) {
        const float distance = squared_distance(matrix.row(i), centroids.row(c));
        if (distance < least) {
          least = distance;
          nearest = c;
        }
      }
      any = any || nearest != clusters.cluster_of[i];
      clusters.cluster_of[i] = nearest;
      distances[i] = least;
    }
    if (any) moved = true;
  });
  return moved;
}

/// Empty clusters take the rows that are farthest from their centroids, none its cluster's only row. Those rows'
/// distances become 0.
void fill_empty(Clusters& clusters, std::vector<float>& distances, std::vector<int64_t>& sizes) {
  for (uint32_t c = 0; c < sizes.size(); ++c) {
    if (sizes[c] > 0) continue;
    size_t farthest = 0;
    float most = 0;
    for (size_t i = 0; i < distances.size(); ++i) {
      if (distances[i] > most && sizes[clusters.cluster_of[i]] > 1) {
        most = distances[i];
        farthest = i;
      }
    }
    if (most == 0) return;  // there are more centroids than different rows
    --sizes[clusters.cluster_of[farthest]];
    clusters.cluster_of[farthest] = c;
    sizes[c] = 1;
    distances[farthest] = 0;
  }
}

/// Each rank sums columns of its own over the rows in their order: so no sum depends on how many ranks there are.
void move_centroids(const Matrix& matrix, Clusters& clusters, const std::vector<int64_t>& sizes, ThreadPool& pool) {
  const size_t width = matrix.width;
  std::vector<double> sums(clusters.centroids.size(), 0);
  in_shares(pool, static_cast<int64_t>(width), [&](int64_t begin, int64_t end) {
    const auto from = static_cast<size_t>(begin);
    const auto to = static_cast<size_t>(end);
    for (size_t i = 0; i < matrix.rows(); ++i) {
      double* const sum = &sums[clusters.cluster_of[i] * width];
      const auto row = matrix.row(i);
      for (size_t column = from; column < to; ++column) sum[column] += row[column];
    }
  });
  for (size_t c = 0; c < sizes.size(); ++c) {
    if (sizes[c] == 0) continue;  // stays where it is: on another centroid
    for (size_t i = c * width; i < (c + 1) * width; ++i) {
      clusters.centroids[i] = static_cast<float>(sums[i] / static_cast<double>(sizes[c]));
    }
  }
}

}  // namespace

Clusters kmeans(const Matrix& matrix, size_t k, uint64_t seed, ThreadPool& pool, int most_rounds) {
  check_rows(matrix);
  const size_t rows = matrix.rows();
  CARAVEL_CHECK(k >= 1 && k <= rows && rows < std::numeric_limits<uint32_t>::max());
  Clusters clusters;
  clusters.centroids = first_centroids(matrix, k, seed, pool);
  clusters.cluster_of.assign(rows, std::numeric_limits<uint32_t>::max());
  std::vector<float> distances(rows);
  while (assign(matrix, clusters, distances, pool) && clusters.rounds < most_rounds) {
    std::vector<int64_t> sizes(k, 0);
    for (const uint32_t c : clusters.cluster_of) ++sizes[c];
    fill_empty(clusters, distances, sizes);
    move_centroids(matrix, clusters, sizes, pool);
    ++clusters.rounds;
  }
  for (const float distance : distances) clusters.squared_error += distance;
  return clusters;
}

std::vector<size_t> nearest_rows(const Matrix& matrix, const Clusters& clusters, ThreadPool& pool) {
  const size_t rows = matrix.rows();
  const Matrix centroids = centroids_of(clusters, matrix.width);
  CARAVEL_CHECK_LE(centroids.rows(), rows);
  std::vector<bool> taken(rows, false);
  std::vector<float> distances(rows);
  std::vector<size_t> nearest;
  for (size_t c = 0; c < centroids.rows(); ++c) {
    in_shares(pool, static_cast<int64_t>(rows), [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        distances[i] = squared_distance(matrix.row(i), centroids.row(c));
      }
    });
    size_t best = rows;
    for (size_t i = 0; i < rows; ++i) {
      if (!taken[i] && (best == rows || distances[i] < distances[best])) best = i;
    }
    taken[best] = true;
    nearest.push_back(best);
  }
  return nearest;
}

}  // namespace caravel::nuggets
