#include "http/wake_queue.h"

namespace caravel::http {

Wake WakeQueue::wake_of(const std::shared_ptr<WakeQueue>& queue, const std::shared_ptr<Target>& target) {
  return [queue, target] {
    if (!target->queued.exchange(true)) queue->add(target);
  };
}

void WakeQueue::add(const std::shared_ptr<Target>& target) {
  const std::lock_guard lock(mutex_);
  if (!ask_to_drain_) return;
  queued_.push_back(target);
  if (queued_.size() == 1) ask_to_drain_();
}

void WakeQueue::drain() {
  std::vector<std::shared_ptr<Target>> targets;
  {
    const std::lock_guard lock(mutex_);
    targets.swap(queued_);
  }
  for (const auto& target : targets) {
    target->queued = false;  // before the call: a wake that comes during it is carried again
    if (target->on_wake) target->on_wake();
  }
}

void WakeQueue::close() {
  std::vector<std::shared_ptr<Target>> targets;
  const std::lock_guard lock(mutex_);
  ask_to_drain_ = nullptr;
  targets.swap(queued_);
}

}  // namespace caravel::http
