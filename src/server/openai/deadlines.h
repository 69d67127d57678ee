#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/clock.h"

namespace caravel::server::openai {

/// Calls back when a time has come. One thread, started with the first deadline, which sleeps until the earliest. Any
/// thread may call any method.
class Deadlines {
 public:
  using Id = std::pair<Clock::time_point, uint64_t>;

  Deadlines() = default;
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  /// `passed` must be quick and must not call back into this.
  Id add(Clock::time_point time, std::function<void()> passed);
  /// It will not be called any more, and does not run. Of one that has passed: nothing.
  void remove(const Id& id);

 private:
  void run();

  std::mutex mutex_;  // of all that follows
  std::condition_variable changed_;
  std::map<Id, std::function<void()>> pending_;
  uint64_t count_ = 0;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace caravel::server::openai
