#include "server/web/ticker.h"

#include <utility>

namespace caravel::server::web {

std::shared_ptr<Ticker> Ticker::shared() {
  static std::mutex mutex;
  static std::weak_ptr<Ticker> current;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Ticker> ticker = current.lock();
  if (!ticker) current = ticker = std::make_shared<Ticker>();
  return ticker;
}

Ticker::Ticker() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

uint64_t Ticker::subscribe(http::Wake wake) {
  const std::lock_guard lock(mutex_);
  wakes_.emplace(next_, std::move(wake));
  return next_++;
}

void Ticker::unsubscribe(uint64_t subscription) {
  const std::lock_guard lock(mutex_);
  wakes_.erase(subscription);
}

void Ticker::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, stop, kPeriod, [&] { return stop.stop_requested(); })) {
    for (const auto& [subscription, wake] : wakes_) wake();
  }
}

}  // namespace caravel::server::web
