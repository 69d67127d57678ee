#pragma once

#include <mutex>

#include "base/clock.h"
#include "caravel/stats.h"

namespace caravel::server {

/// Tells an engine that hangs from one that works or has nothing to do, by looking at its statistics now and then: look
/// whenever a request arrives, and whenever somebody asks for its health. Any thread.
class StallWatch {
 public:
  /// limit: work to do, and no step for so long, is a stall.
  explicit StallWatch(Clock::duration limit) : limit_(limit) {}

  /// How long the engine has had work without a step, where that is more than the limit; else zero.
  Clock::duration stalled(const Stats& stats, Clock::time_point now = Clock::now()) {
    const std::lock_guard lock(mutex_);
    const bool has_work = stats.waiting_requests + stats.running_requests + stats.swapped_requests > 0;
    if (!has_work || stats.steps != steps_) {
      steps_ = stats.steps;
      since_ = now;
    }
    return now - since_ > limit_ ? now - since_ : Clock::duration::zero();
  }

 private:
  const Clock::duration limit_;
  std::mutex mutex_;         // guards the following
  int64_t steps_ = -1;       // as last seen
  Clock::time_point since_;  // when they were first seen with work to do, or last without
};

}  // namespace caravel::server
