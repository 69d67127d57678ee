#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "http/http.h"

namespace caravel::server::web {

/// Wakes its subscribers a few times a second, all from one thread, which lives as long as the ticker: who holds one
/// keeps it going. Any thread may call any method.
class Ticker {
 public:
  static constexpr std::chrono::milliseconds kPeriod{250};

  /// The one that others hold, or a new one.
  static std::shared_ptr<Ticker> shared();

  Ticker();
  ~Ticker() { thread_.request_stop(); }

  uint64_t subscribe(http::Wake wake);
  void unsubscribe(uint64_t subscription);

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;  // of the following
  std::condition_variable_any stopped_;
  std::map<uint64_t, http::Wake> wakes_;
  uint64_t next_ = 0;
  std::jthread thread_;  // last: uses all of the above
};

}  // namespace caravel::server::web
