#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "scheduler/scheduler.h"

namespace {

std::atomic<int64_t> allocations{0};

}  // namespace

void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

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
  const int64_t before = allocations;
  for (int i = 0; i < 80; ++i) step();
  EXPECT_EQ(allocations - before, 0);
  EXPECT_GT(before, 0);
}

}  // namespace
}  // namespace caravel::scheduler
