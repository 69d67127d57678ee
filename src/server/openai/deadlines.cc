#include "server/openai/deadlines.h"

namespace caravel::server::openai {

Deadlines::~Deadlines() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Deadlines::Id Deadlines::add(Clock::time_point time, std::function<void()> passed) {
  const std::lock_guard lock(mutex_);
  const Id id{time, ++count_};
  const bool earliest = pending_.emplace(id, std::move(passed)).first == pending_.begin();
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  if (earliest) changed_.notify_all();
  return id;
}

void Deadlines::remove(const Id& id) {
  const std::lock_guard lock(mutex_);
  pending_.erase(id);
}

void Deadlines::run() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    if (pending_.empty()) {
      changed_.wait(lock);
    } else if (const Id next = pending_.begin()->first; next.first > Clock::now()) {
      changed_.wait_until(lock, next.first);
    } else {
      const auto node = pending_.extract(pending_.begin());
      node.mapped()();
    }
  }
}

}  // namespace caravel::server::openai
