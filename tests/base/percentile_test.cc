#include "base/percentile.h"

#include <gtest/gtest.h>

#include <vector>

namespace caravel {
namespace {

TEST(Percentile, LiesBetweenTheNearestRanks) {
  const std::vector<double> five = {1, 2, 3, 4, 5};
  EXPECT_DOUBLE_EQ(percentile(five, 0), 1);
  EXPECT_DOUBLE_EQ(percentile(five, 0.5), 3);
  EXPECT_DOUBLE_EQ(percentile(five, 0.9), 4.6);
  EXPECT_DOUBLE_EQ(percentile(five, 1), 5);
  EXPECT_DOUBLE_EQ(percentile(std::vector<double>{7}, 0.99), 7);
  EXPECT_DOUBLE_EQ(percentile({}, 0.5), 0);
}

}  // namespace
}  // namespace caravel
