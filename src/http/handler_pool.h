#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace caravel::http {

/// Threads that run jobs, begun as they are needed. A thread whose job took long has lost its priority
/// (base/interrupt.h), and ends with the job: the next ones get fresh threads. Any thread may call it.
class HandlerPool {
 public:
  enum class Priority { kUsual, kLow };
  static constexpr int kAnyNumber = std::numeric_limits<int>::max();
  /// `most` threads at once, of which `kept` stay when there is nothing to do; `queued` jobs may wait for one.
  HandlerPool(int kept, int most, int queued = kAnyNumber, Priority priority = Priority::kUsual)
      : kept_(kept), most_(most), queued_(queued), priority_(priority) {}
  /// Waits for the jobs that run; those that wait are dropped.
  ~HandlerPool() { stop(); }
  HandlerPool(const HandlerPool&) = delete;
  HandlerPool& operator=(const HandlerPool&) = delete;

  /// Jobs begin in their order. They must not throw. False, and the job is dropped, where too many wait.
  bool post(std::function<void()> job);
  /// As the destructor; jobs that are posted later are dropped.
  void stop();

 private:
  void run(int number);

  const int kept_;
  const int most_;
  const int queued_;
  const Priority priority_;
  std::mutex mutex_;  // guards all that follows
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  std::unordered_map<int, std::thread> threads_;  // by number
  std::vector<std::thread> ended_;                // to be joined
  int next_number_ = 0;
  int idle_ = 0;
  int busy_ = 0;
  bool stopping_ = false;
};

}  // namespace caravel::http
