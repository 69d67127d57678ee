#pragma once

#include <array>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "http/transport.h"

namespace caravel::http {

/// What a connection may wait for too long. Where several pass together, the first is told first.
enum class Deadline {
  kTaken,    // the client takes what is written to it
  kArrived,  // what the client owes has come: a head, a body, its end
  kWake,     // not too long: the time at which the work wants to be advanced
};

/// The deadlines of one connection, on one timer. It is left alone where it runs out before the next of them, and then
/// looks again: most deadlines are put off or dropped long before they pass. On the loop's thread alone.
class Deadlines : public std::enable_shared_from_this<Deadlines> {
 public:
  static constexpr Clock::time_point kNever = Clock::time_point::max();

  /// `passed` is called with each deadline as it passes, which is dropped then. It is called only as long as a shared
  /// pointer holds this.
  Deadlines(asio::io_context& context, std::function<void(Deadline)> passed);

  /// Instead of the time that it had; kNever drops it.
  void set(Deadline deadline, Clock::time_point time);
  void drop(Deadline deadline) { set(deadline, kNever); }
  void drop_all();

 private:
  void arm();
  void look();

  std::array<Clock::time_point, 3> times_;  // by Deadline
  Clock::time_point armed_ = kNever;        // when the timer runs out: never later than a deadline
  asio::steady_timer timer_;
  const std::function<void(Deadline)> passed_;
};

}  // namespace caravel::http
