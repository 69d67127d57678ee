#include "nuggets/kmeans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "base/error.h"
#include "nuggets/choose_tasks.h"

namespace caravel::nuggets {
namespace {

std::vector<float> noise(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

double plain_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  return sum;
}

TEST(SumInLanes, IsTheSumAtEveryLength) {
  for (size_t count = 0; count < 70; ++count) {
    const std::vector<float> a = noise(count, 1);
    const std::vector<float> b = noise(count, 2);
    double product = 0;
    for (size_t i = 0; i < count; ++i) product += static_cast<double>(a[i]) * b[i];
    EXPECT_NEAR(dot(a, b), product, 1e-4);
    EXPECT_NEAR(squared_distance(a, b), plain_distance(a, b), 1e-4);
  }
}

TEST(Kmeans, GivesTheSameBitsWhateverThePool) {
  const std::vector<float> values = noise(700 * 33, 4);
  const Matrix matrix = {.values = values, .width = 33};
  ThreadPool one(1);
  const Clusters expected = kmeans(matrix, 24, 9, one);
  const std::vector<size_t> rows = nearest_rows(matrix, expected, one);
  for (const int threads : {2, 3, 5}) {
    ThreadPool pool(threads);
    const Clusters clusters = kmeans(matrix, 24, 9, pool);
    EXPECT_EQ(clusters.centroids, expected.centroids);
    EXPECT_EQ(clusters.cluster_of, expected.cluster_of);
    EXPECT_EQ(clusters.squared_error, expected.squared_error);
    EXPECT_EQ(nearest_rows(matrix, clusters, pool), rows);
  }
  EXPECT_NE(kmeans(matrix, 24, 10, one).cluster_of, expected.cluster_of) << "another seed";
}

// Where Lloyd's algorithm ends: every row is with its nearest centroid, every centroid the mean of its rows.
TEST(Kmeans, EndsAtAFixedPoint) {
  ThreadPool pool(2);
  for (uint32_t seed = 0; seed < 20; ++seed) {
    const size_t width = 1 + seed % 7;
    const std::vector<float> values = noise(150 * width, seed);
    const Matrix matrix = {.values = values, .width = width};
    const size_t k = 1 + seed;
    const Clusters clusters = kmeans(matrix, k, seed, pool, 1000);
    ASSERT_EQ(clusters.centroids.size(), k * width);
    const Matrix centroids = {.values = clusters.centroids, .width = width};
    std::vector<double> sums(k * width, 0);
    std::vector<double> sizes(k, 0);
    double error = 0;
    for (size_t i = 0; i < matrix.rows(); ++i) {
      const size_t own = clusters.cluster_of[i];
      for (size_t c = 0; c < k; ++c) {
        EXPECT_LE(plain_distance(matrix.row(i), centroids.row(own)),
                  plain_distance(matrix.row(i), centroids.row(c)) + 1e-5);
      }
      error += plain_distance(matrix.row(i), centroids.row(own));
      ++sizes[own];
      for (size_t j = 0; j < width; ++j) sums[own * width + j] += matrix.row(i)[j];
    }
    EXPECT_NEAR(clusters.squared_error, error, 1e-3);
    for (size_t c = 0; c < k; ++c) {
      ASSERT_GT(sizes[c], 0);
      for (size_t j = 0; j < width; ++j) EXPECT_NEAR(centroids.row(c)[j], sums[c * width + j] / sizes[c], 1e-5);
    }
  }
}

TEST(Kmeans, FindsClustersThatLieApart) {
  constexpr size_t kClusters = 30;
  constexpr size_t kWidth = 16;
  const std::vector<float> centers = noise(kClusters * kWidth, 1);
  std::vector<float> values = noise(900 * kWidth, 2);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = 0.01F * values[i] + 10 * centers[(i / kWidth % kClusters) * kWidth + i % kWidth];
  }
  const Matrix matrix = {.values = values, .width = kWidth};
  ThreadPool pool(2);
  int found = 0;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    std::set<uint32_t> first;
    const Clusters clusters = kmeans(matrix, kClusters, seed, pool);
    for (size_t i = 0; i < kClusters; ++i) first.insert(clusters.cluster_of[i]);
    if (first.size() == kClusters) ++found;
  }
  EXPECT_GE(found, 5) << "of 10 seeds; random first centroids would find all 30 in none";
}

TEST(NearestRows, AreDistinctAlsoAmongEqualRows) {
  ThreadPool pool(2);
  for (const size_t different : {1, 3, 20}) {
    const std::vector<float> some = noise(different * 4, 5);
    std::vector<float> values;
    for (size_t i = 0; i < 20; ++i) {
      values.insert(values.end(), some.begin() + static_cast<std::ptrdiff_t>(i % different * 4),
                    some.begin() + static_cast<std::ptrdiff_t>(i % different * 4 + 4));
    }
    const Matrix matrix = {.values = values, .width = 4};
    for (size_t k = 1; k <= 20; ++k) {
      const std::vector<size_t> rows = nearest_rows(matrix, kmeans(matrix, k, 3, pool), pool);
      EXPECT_EQ(rows.size(), k);
      EXPECT_EQ(std::set<size_t>(rows.begin(), rows.end()).size(), k);
      // Each different row is there once before any comes twice.
      std::set<size_t> kinds;
      for (const size_t row : rows) kinds.insert(row % different);
      EXPECT_EQ(kinds.size(), std::min(k, different));
    }
  }
}

TEST(NearestRows, AreThoseOfBruteForce) {
  const std::vector<float> values = noise(300 * 8, 6);
  const Matrix matrix = {.values = values, .width = 8};
  ThreadPool pool(3);
  const Clusters clusters = kmeans(matrix, 40, 1, pool);
  const Matrix centroids = {.values = clusters.centroids, .width = 8};
  std::set<size_t> taken;
  const std::vector<size_t> rows = nearest_rows(matrix, clusters, pool);
  for (size_t c = 0; c < 40; ++c) {
    size_t best = 300;
    for (size_t i = 0; i < 300; ++i) {
      if (taken.contains(i)) continue;
      if (best == 300 ||
          plain_distance(matrix.row(i), centroids.row(c)) < plain_distance(matrix.row(best), centroids.row(c))) {
        best = i;
      }
    }
    EXPECT_EQ(rows[c], best);
    taken.insert(best);
  }
}

TEST(CheckRows, TellsWhichRowCannotBeMeasured) {
  std::vector<float> values = noise(10 * 3, 7);
  ThreadPool pool(1);
  const auto message = [&](float value) -> std::string {
    values[3 * 4 + 1] = value;
    try {
      kmeans({.values = values, .width = 3}, 2, 0, pool);
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message(std::numeric_limits<float>::quiet_NaN()), testing::HasSubstr("embedding 4 "));
  EXPECT_THAT(message(std::numeric_limits<float>::infinity()), testing::HasSubstr("embedding 4 "));
  EXPECT_THAT(message(4e18F), testing::HasSubstr("embedding 4 "));
  EXPECT_EQ(message(3e17F), "");
  EXPECT_THROW(kmeans({.values = values, .width = 7}, 2, 0, pool), InvalidArgument);
}

TEST(RandomRows, AreDistinctAscendingAndBySeed) {
  const std::vector<size_t> rows = random_rows(1000, 100, 42);
  EXPECT_EQ(rows.size(), 100U);
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
  EXPECT_EQ(std::set<size_t>(rows.begin(), rows.end()).size(), 100U);
  EXPECT_LT(rows.back(), 1000U);
  EXPECT_EQ(random_rows(1000, 100, 42), rows);
  EXPECT_NE(random_rows(1000, 100, 43), rows);
  EXPECT_NE(random_rows(1000, 100, 42, 1), rows);
  EXPECT_EQ(random_rows(3, 5, 0), (std::vector<size_t>{0, 1, 2}));
  EXPECT_TRUE(random_rows(0, 5, 0).empty());
}

TEST(RandomRows, EachRowIsTakenAsOftenAsTheOthers) {
  std::vector<int> taken(20, 0);
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    for (const size_t row : random_rows(20, 5, seed)) ++taken[row];
  }
  for (const int count : taken) EXPECT_NEAR(count, 1000, 5 * std::sqrt(4000 * 0.25 * 0.75));
}

TEST(RandomRows, RowsAtTheEndReplaceNoneButByThemselves) {
  const std::vector<size_t> before = random_rows(1000, 100, 42);
  std::vector<size_t> kept;
  for (const size_t row : random_rows(1200, 100, 42)) {
    if (row < 1000) kept.push_back(row);
  }
  EXPECT_TRUE(std::includes(before.begin(), before.end(), kept.begin(), kept.end()));
}

TEST(CentralRows, AreTheNearestToCentroidsInOrder) {
  const std::vector<float> values = noise(200 * 8, 6);
  const Matrix matrix = {.values = values, .width = 8};
  ThreadPool pool(2);
  std::vector<size_t> expected = nearest_rows(matrix, kmeans(matrix, 12, 5, pool), pool);
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(central_rows(matrix, 12, 5, pool), expected);
  EXPECT_EQ(central_rows(matrix, 500, 5, pool).size(), 200U);
  EXPECT_TRUE(central_rows(matrix, 0, 5, pool).empty());
}

}  // namespace
}  // namespace caravel::nuggets
