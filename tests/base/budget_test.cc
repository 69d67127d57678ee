#include "base/budget.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

namespace caravel {
namespace {

TEST(Budget, PartsAreGivenBack) {
  std::optional<Budget> budget(100);
  const Budget same = *budget;
  Budget::Part first = budget->part();
  EXPECT_TRUE(first.resize(60));
  Budget::Part second = same.part();
  EXPECT_FALSE(second.resize(41));
  EXPECT_TRUE(second.resize(40));
  EXPECT_FALSE(first.resize(61));
  EXPECT_EQ(first.amount(), 60) << "it stays as it was";
  EXPECT_TRUE(first.resize(10));
  EXPECT_EQ(same.used(), 50);
  Budget::Part moved = std::move(first);
  EXPECT_EQ(moved.amount(), 10);
  moved = std::move(second);
  EXPECT_EQ(same.used(), 40);
  budget.reset();
  EXPECT_TRUE(moved.resize(0));
  EXPECT_EQ(same.used(), 0);
}

TEST(Budget, APartOfNoneHoldsNothing) {
  Budget::Part none;
  EXPECT_TRUE(none.resize(0));
  EXPECT_FALSE(none.resize(1));
  Budget::Part much = Budget().part();
  EXPECT_TRUE(much.resize(int64_t{1} << 60));
}

TEST(Budget, ThreadsNeverHoldMoreThanThereIs) {
  const Budget budget(10);
  std::atomic<bool> exceeded = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20'000; ++round) {
        Budget::Part part = budget.part();
        if (part.resize(1 + round % 7) && budget.used() > 10) exceeded = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(budget.used(), 0);
}

}  // namespace
}  // namespace caravel
