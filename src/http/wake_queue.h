#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "http/http.h"

namespace caravel::http {

/// Carries wake() calls from any thread to the thread of one event loop. A call costs an atomic exchange where one is
/// on its way already, else a short lock; the loop is asked to drain once for all that came since it last did.
class WakeQueue {
 public:
  /// What one Wake leads to; `on_wake` is called, and may be replaced, on the loop's thread alone.
  struct Target {
    std::function<void()> on_wake;
    std::atomic<bool> queued = false;
  };

  /// `ask_to_drain` makes the loop call drain() soon.
  explicit WakeQueue(std::function<void()> ask_to_drain) : ask_to_drain_(std::move(ask_to_drain)) {}

  /// Safe to call from any thread as long as anybody likes: after close() it does nothing.
  static Wake wake_of(const std::shared_ptr<WakeQueue>& queue, const std::shared_ptr<Target>& target);
  /// On the loop's thread.
  void drain();
  /// From here on the loop is not asked again. Any thread.
  void close();

 private:
  void add(const std::shared_ptr<Target>& target);

  std::mutex mutex_;
  std::function<void()> ask_to_drain_;           // empty: closed
  std::vector<std::shared_ptr<Target>> queued_;  // none of them twice
};

}  // namespace caravel::http
