#include "server/stall_watch.h"

#include <gtest/gtest.h>

namespace caravel::server {
namespace {

using std::chrono::seconds;

Stats stats(int waiting, int64_t steps) {
  Stats result;
  result.waiting_requests = waiting;
  result.steps = steps;
  return result;
}

class Watch : public testing::Test {
 protected:
  bool stalled(int second, const Stats& now) {
    return watch_.stalled(now, start_ + seconds(second)) != Clock::duration::zero();
  }

  StallWatch watch_{seconds(30)};
  const Clock::time_point start_ = Clock::now();
};

TEST_F(Watch, WorkWithoutAStepIsAStall) {
  EXPECT_FALSE(stalled(0, stats(0, 7)));
  EXPECT_FALSE(stalled(5, stats(1, 7)));
  EXPECT_FALSE(stalled(30, stats(1, 7)));
  EXPECT_TRUE(stalled(40, stats(1, 7)));
  EXPECT_TRUE(stalled(50, stats(3, 7)));
}

TEST_F(Watch, StepsAreNone) {
  for (int second = 0; second < 300; second += 25) EXPECT_FALSE(stalled(second, stats(1, 7 + second))) << second;
}

TEST_F(Watch, NorIsHavingNothingToDo) {
  EXPECT_FALSE(stalled(0, stats(0, 7)));
  EXPECT_FALSE(stalled(1000, stats(0, 7)));
  EXPECT_FALSE(stalled(1010, stats(1, 7)));  // it has had this for ten seconds at most
}

TEST_F(Watch, ItEndsWithTheNextStep) {
  stalled(0, stats(1, 7));
  EXPECT_TRUE(stalled(31, stats(1, 7)));
  EXPECT_FALSE(stalled(32, stats(1, 8)));
}

TEST_F(Watch, WhoAsksOnceIsToldTheSame) {
  // A request arrives at an idle engine, which then hangs; the next look is that of a probe.
  stalled(100, stats(0, 7));
  EXPECT_TRUE(stalled(140, stats(1, 7)));
}

}  // namespace
}  // namespace caravel::server
