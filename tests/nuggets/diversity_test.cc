#include "nuggets/diversity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/error.h"
#include "base/float_vector.h"

namespace caravel::nuggets {
namespace {

std::vector<float> unit_rows(size_t rows, size_t width, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values;
  for (size_t i = 0; i < rows; ++i) {
    std::vector<float> row(width);
    for (float& value : row) value = normal(random);
    row = unit_vector(row);
    values.insert(values.end(), row.begin(), row.end());
  }
  return values;
}

/// The coverage of `picked` and `also`, with the likenesses in one order.
double coverage(const Matrix& rows, const std::vector<size_t>& picked, size_t also) {
  double sum = 0;
  for (size_t i = 0; i < rows.rows(); ++i) {
    double best = std::max(0.0F, dot(rows.row(i), rows.row(also)));
    for (const size_t row : picked) best = std::max<double>(best, dot(rows.row(i), rows.row(row)));
    sum += best;
  }
  return sum;
}

TEST(Cover, PicksWhatThePlainGreedyAlgorithmPicks) {
  ThreadPool pool(2);
  for (uint32_t seed = 0; seed < 10; ++seed) {
    const size_t width = 2 + seed % 20;
    const std::vector<float> values = unit_rows(30, width, seed);
    const Matrix rows = {.values = values, .width = width};
    const std::vector<Pick> picks = cover(rows, 30, pool);
    ASSERT_EQ(picks.size(), 30U);
    std::vector<size_t> picked;
    double before = 0;
    for (const Pick& pick : picks) {
      ASSERT_EQ(std::count(picked.begin(), picked.end(), pick.row), 0);
      double best = 0;
      for (size_t row = 0; row < 30; ++row) best = std::max(best, coverage(rows, picked, row));
      const double with = coverage(rows, picked, pick.row);
      EXPECT_NEAR(with, best, 1e-5) << "another row covers more";
      EXPECT_NEAR(pick.gain, with - before, 1e-5);
      before = with;
      picked.push_back(pick.row);
    }
  }
}

TEST(Cover, TakesTheFirstOfEqualRows) {
  // Twelve rows on four axes, each thrice: one of each axis first, the lowest rows, then what adds nothing, in order.
  std::vector<float> values(12 * 4, 0);
  for (size_t i = 0; i < 12; ++i) values[i * 4 + i % 4] = 1;
  ThreadPool pool(2);
  const std::vector<Pick> picks = cover({.values = values, .width = 4}, 12, pool);
  for (size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(picks[i].row, i);
    EXPECT_EQ(picks[i].gain, i < 4 ? 3 : 0);
  }
}

TEST(Cover, PicksTheSameWhateverThePool) {
  const std::vector<float> values = unit_rows(1500, 12, 3);
  const Matrix rows = {.values = values, .width = 12};
  ThreadPool one(1);
  const std::vector<Pick> expected = cover(rows, 5, one);
  for (const int threads : {2, 5}) {
    ThreadPool pool(threads);
    const std::vector<Pick> picks = cover(rows, 5, pool);
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(picks[i].row, expected[i].row);
      EXPECT_EQ(picks[i].gain, expected[i].gain);
    }
  }
}

TEST(Cover, OfLittleOrNothing) {
  ThreadPool pool(1);
  EXPECT_TRUE(cover({}, 3, pool).empty());
  const std::vector<float> values = unit_rows(2, 3, 1);
  EXPECT_TRUE(cover({.values = values, .width = 3}, 0, pool).empty());
  EXPECT_EQ(cover({.values = values, .width = 3}, 9, pool).size(), 2U);
  EXPECT_THROW(cover({.values = values, .width = 4}, 1, pool), InvalidArgument);
}

TEST(MeanDistance, IsThatOfAllPairs) {
  const std::vector<float> values = unit_rows(50, 7, 8);
  const Matrix rows = {.values = values, .width = 7};
  const std::vector<size_t> some = {3, 4, 8, 20, 21, 49};
  double sum = 0;
  int pairs = 0;
  for (size_t i = 0; i < some.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      sum += 1 - dot(rows.row(some[i]), rows.row(some[j]));
      ++pairs;
    }
  }
  EXPECT_NEAR(mean_distance(rows, some), sum / pairs, 1e-6);
  EXPECT_EQ(mean_distance(rows, std::vector<size_t>{3}), 0);
  EXPECT_NEAR(mean_distance(rows, std::vector<size_t>{3, 3}), 0, 1e-6);
}

}  // namespace
}  // namespace caravel::nuggets
