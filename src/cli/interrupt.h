#pragma once

namespace caravel::cli {

inline constexpr int kInterruptedExitCode = 130;  // 128 + SIGINT, as shells count

/// Ctrl-C while one of these lives is noted instead of ending the program; a second one ends it at once. Not nested.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  bool interrupted() const;
  /// A file descriptor that polls as readable once interrupted, whichever thread the signal came to.
  int descriptor() const;
  /// Forgets it: what was interrupted has ended.
  void reset();
};

}  // namespace caravel::cli
