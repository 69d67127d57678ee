#include "base/interrupt.h"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <semaphore>
#include <utility>

#include "base/check.h"
#include "base/thread_pool.h"

namespace caravel {
namespace {

constexpr double kLong = 0.02;  // seconds of processor time: what most requests take a hundredth of
constexpr double kTurn = 0.01;
constexpr std::chrono::milliseconds kLook{10};  // how often one that waits looks whether it is still wanted
// Low enough to be felt by nobody, and not so low that it keeps for long a lock inside of malloc that others need.
constexpr int kLowPriority = 10;

struct State {
  const std::atomic<bool>* gone = nullptr;
  double since = 0;  // processor time
  bool gives_way = true;
  bool slow = false;
  bool has_turn = false;
};
thread_local State state;

/// Turns of slow threads: one for four processors.
std::counting_semaphore<>& turns() {
  static std::counting_semaphore<> semaphore(std::max(1, usable_processors() / 4));
  return semaphore;
}

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void give_turn() {
  if (state.has_turn) turns().release();
  state.has_turn = false;
}

void wait_for_turn() {
  give_turn();
  while (!turns().try_acquire_for(kLook)) {
    if (state.gone->load(std::memory_order_relaxed)) throw Interrupted();
  }
  state.has_turn = true;
  state.since = processor_seconds();
}

}  // namespace

InterruptScope::InterruptScope(const std::atomic<bool>& gone, bool gives_way) {
  CARAVEL_CHECK(state.gone == nullptr);
  state.gone = &gone;
  state.gives_way = gives_way;
  state.since = processor_seconds();
}

InterruptScope::~InterruptScope() {
  give_turn();
  state.gone = nullptr;
}

Uninterrupted::Uninterrupted() : gone_(std::exchange(state.gone, nullptr)) {}

Uninterrupted::~Uninterrupted() { state.gone = gone_; }

void lower_priority() {
  // The thread's own, on Linux; a process may lower it, and not raise it again.
  ::setpriority(PRIO_PROCESS, 0, kLowPriority);
}

bool thread_is_slow() { return state.slow; }

void check_interrupt_now() {
  internal::interrupt_countdown = internal::kInterruptEvery;
  if (state.gone == nullptr) return;
  if (state.gone->load(std::memory_order_relaxed)) throw Interrupted();
  if (!state.gives_way || processor_seconds() - state.since < (state.slow ? kTurn : kLong)) return;
  if (!state.slow) {
    state.slow = true;
    lower_priority();
  }
  wait_for_turn();
}

}  // namespace caravel
