#include "http/deadlines.h"

#include <algorithm>
#include <utility>

namespace caravel::http {

Deadlines::Deadlines(asio::io_context& context, std::function<void(Deadline)> passed)
    : timer_(context), passed_(std::move(passed)) {
  times_.fill(kNever);
}

void Deadlines::set(Deadline deadline, Clock::time_point time) {
  times_.at(static_cast<size_t>(deadline)) = time;
  arm();
}

void Deadlines::drop_all() {
  times_.fill(kNever);
  armed_ = kNever;
  timer_.cancel();
}

void Deadlines::arm() {
  const Clock::time_point next = *std::ranges::min_element(times_);
  if (next >= armed_) return;
  armed_ = next;
  timer_.expires_at(next);
  timer_.async_wait([weak = weak_from_this()](const error_code& error) {
    const std::shared_ptr<Deadlines> self = weak.lock();
    if (!error && self) self->look();
  });
}

void Deadlines::look() {
  armed_ = kNever;
  const Clock::time_point now = Clock::now();
  for (size_t i = 0; i < times_.size(); ++i) {
    if (now < times_.at(i)) continue;
    times_.at(i) = kNever;
    passed_(static_cast<Deadline>(i));
  }
  arm();
}

}  // namespace caravel::http
