#include "base/interrupt.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <thread>

namespace caravel {
namespace {

TEST(Interrupt, EndsWhatNobodyWaitsFor) {
  std::atomic<bool> gone = false;
  int rounds = 0;
  bool ended = false;
  {
    const InterruptScope scope(gone);
    try {
      for (; rounds < 10'000; ++rounds) {
        if (rounds == 1'000) gone = true;
        check_interrupt();
      }
    } catch (const Interrupted&) {
      ended = true;
    }
  }
  EXPECT_TRUE(ended);
  EXPECT_GE(rounds, 1'000);
  EXPECT_LE(rounds, 2'000);
  for (int i = 0; i < 10'000; ++i) check_interrupt();  // outside of the scope
}

TEST(Interrupt, WhatTakesLongGoesOnAfterAllOthers) {
  std::thread([] {
    const std::atomic<bool> gone = false;
    {
      const InterruptScope scope(gone);
      for (int i = 0; i < 1'000; ++i) check_interrupt();
      EXPECT_FALSE(thread_is_slow());
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (!thread_is_slow() && std::chrono::steady_clock::now() < end) check_interrupt();
    }
    EXPECT_TRUE(thread_is_slow());
    EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), 10);
  }).join();
  EXPECT_FALSE(thread_is_slow()) << "each thread's own";
}

}  // namespace
}  // namespace caravel
