#include <gtest/gtest.h>

#include "count_allocations.h"
#include "scheduler/scheduler.h"

namespace caravel::scheduler {
namespace {

TEST(SteadyState, DecodeStepsAllocateNothing) {
  SchedulerConfig config;
  config.kv = {.block_size = 4, .num_blocks = 400, .windows = {0, 9}};
  Scheduler scheduler(config);
  for (int i = 0; i < 8; ++i) {
    scheduler.add(std::make_shared<SequenceGroup>(GroupParams{.prompt = {i, 2, 3, 4, 5, 6}, .max_tokens = 90}));
  }
  const auto step = [&scheduler] {
    const Plan& plan = scheduler.plan();
    scheduler.complete(plan);
    for (const Row& row : plan.rows) scheduler.append(*row.sequence, 1);
  };
  step();
  const int64_t before = allocations();
  for (int i = 0; i < 80; ++i) step();
  EXPECT_EQ(allocations() - before, 0);
  EXPECT_GT(before, 0);
}

}  // namespace
}  // namespace caravel::scheduler
