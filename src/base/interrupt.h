#pragma once

#include <atomic>
#include <cstdint>

namespace caravel {

/// Thrown where nobody waits for the outcome any more. No std::exception, so that only those who know it catch it.
struct Interrupted {};

/// What a thread does while this lives is for somebody who may go away, and should not take the processor from others:
/// check_interrupt() throws once `gone` is set; once it has taken long it gives the thread a low priority, and lets few
/// such threads run at once, in turns. One at a time in a thread.
class InterruptScope {
 public:
  /// `gone` must outlive it. gives_way: false where the thread is the only one of its kind, and the others wait for it:
  /// its priority and its turn stay.
  explicit InterruptScope(const std::atomic<bool>& gone, bool gives_way = true);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
};

/// Within an InterruptScope: while this lives, check_interrupt() does nothing. For what is made once for all, under a
/// lock that others wait for.
class Uninterrupted {
 public:
  Uninterrupted();
  ~Uninterrupted();
  Uninterrupted(const Uninterrupted&) = delete;
  Uninterrupted& operator=(const Uninterrupted&) = delete;

 private:
  const std::atomic<bool>* const gone_;
};

/// The thread took long, once: it has a low priority from then on, and for good. It should end soon.
bool thread_is_slow();

/// Gives the calling thread that low priority, for good.
void lower_priority();

/// check_interrupt() for rounds that take long.
void check_interrupt_now();

namespace internal {
inline constexpr uint32_t kInterruptEvery = 256;
inline thread_local uint32_t interrupt_countdown = kInterruptEvery;
}  // namespace internal

/// To be called in loops whose number of rounds a request decides, each some microseconds at most, and where no lock is
/// held that others need: it may wait. Costs a nanosecond; does nothing outside of an InterruptScope. Throws
/// Interrupted.
inline void check_interrupt() {
  if (--internal::interrupt_countdown == 0) check_interrupt_now();
}

}  // namespace caravel
