#include "engine/step_pace.h"

#include <gtest/gtest.h>

#include <limits>

namespace caravel::engine {
namespace {

TEST(StepPace, WithoutABoundEveryStepMayBeFull) {
  StepPace pace(0);
  pace.observe(512, 100);
  EXPECT_EQ(pace.max_tokens(), std::numeric_limits<int>::max());
}

TEST(StepPace, StepsComeToLastNearlyTheBound) {
  // 4 ms a step and 0.5 ms a token; at most 50 ms.
  const auto seconds = [](int tokens) { return 0.004 + 0.0005 * tokens; };
  StepPace pace(0.05);
  for (int i = 0; i < 20; ++i) {
    const int tokens = pace.max_tokens();
    EXPECT_LT(seconds(tokens), 0.05) << "step " << i;
    pace.observe(tokens, seconds(tokens));
  }
  EXPECT_GT(seconds(pace.max_tokens()), 0.04);
}

TEST(StepPace, DecodeStepsTellNothing) {
  StepPace pace(0.05);
  pace.observe(512, 0.512);
  const int tokens = pace.max_tokens();
  pace.observe(1, 0.02);
  EXPECT_EQ(pace.max_tokens(), tokens);
}

}  // namespace
}  // namespace caravel::engine
