#include "base/thread_pool.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <array>
#include <ctime>
#include <thread>

#include "base/error.h"

namespace caravel {
namespace {

TEST(ThreadPool, RunsOnceOnEveryRankAndBarriersOrderPhases) {
  ThreadPool pool(4);
  struct State {
    ThreadPool* pool;
    std::array<std::atomic<int>, 4> runs = {};
    std::atomic<int> phase_one{0};
    std::atomic<bool> ordered{true};
  } state;
  state.pool = &pool;
  for (int i = 0; i < 1000; ++i) {
    state.phase_one = 0;
    pool.run(
        [](void* context, int rank) {
          auto& s = *static_cast<State*>(context);
          ++s.runs[static_cast<size_t>(rank)];
          ++s.phase_one;
          s.pool->barrier();
          if (s.phase_one != 4) s.ordered = false;
          s.pool->barrier();
        },
        &state);
  }
  for (const auto& runs : state.runs) EXPECT_EQ(runs, 1000);
  EXPECT_TRUE(state.ordered);
}

TEST(ThreadPool, IdleUsesNoProcessorTime) {
  ThreadPool pool(4);
  pool.run([](void*, int) {}, nullptr);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.02);
}

TEST(ThreadPool, ThatUsesAllProcessorsGivesEachRankItsOwn) {
  const int threads = usable_processors();
  if (threads == 1) GTEST_SKIP() << "one processor";
  std::vector<cpu_set_t> masks(static_cast<size_t>(threads));
  // A thread of its own, so that the test program itself is not bound to one processor.
  std::thread([&] {
    ThreadPool pool(threads);
    pool.pin_caller();
    pool.run(
        [](void* context, int rank) {
          auto& all = *static_cast<std::vector<cpu_set_t>*>(context);
          sched_getaffinity(0, sizeof(cpu_set_t), &all[static_cast<size_t>(rank)]);
        },
        &masks);
  }).join();
  cpu_set_t together;
  CPU_ZERO(&together);
  for (const cpu_set_t& mask : masks) {
    EXPECT_EQ(CPU_COUNT(&mask), 1);
    CPU_OR(&together, &together, &mask);
  }
  EXPECT_EQ(CPU_COUNT(&together), threads);
}

TEST(ThreadPool, ThatLeavesProcessorsFreeGoesWhereThereIsRoom) {
  const int threads = usable_processors();
  if (threads == 1) GTEST_SKIP() << "one processor";
  cpu_set_t mask;
  CPU_ZERO(&mask);
  ThreadPool pool(threads + 1);
  pool.pin_caller();
  sched_getaffinity(0, sizeof mask, &mask);
  EXPECT_GE(CPU_COUNT(&mask), threads);
}

TEST(ThreadPool, RefusesNonsense) {
  EXPECT_THROW(ThreadPool(0), InvalidArgument);
  EXPECT_THROW(ThreadPool(100000), InvalidArgument);
}

TEST(ShareOf, CoversEverythingOnceInGrains) {
  for (int64_t count : {0, 1, 31, 32, 33, 1000}) {
    int64_t next = 0;
    for (int rank = 0; rank < 3; ++rank) {
      const Range range = share_of(count, rank, 3, 32);
      EXPECT_EQ(range.begin, next);
      EXPECT_TRUE(range.end % 32 == 0 || range.end == count);
      next = range.end;
    }
    EXPECT_EQ(next, count);
  }
}

}  // namespace
}  // namespace caravel
