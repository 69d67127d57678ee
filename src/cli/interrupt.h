#pragma once

#include <termios.h>

#include <atomic>
#include <csignal>
#include <initializer_list>
#include <vector>

#include "caravel/error.h"

namespace caravel::cli {

inline constexpr int kInterruptedExitCode = 130;  // 128 + SIGINT, as shells count

/// Ends a command that ctrl-C stopped before there was anything to keep.
class NothingKept : public Error {
 public:
  using Error::Error;
};

/// Ctrl-C, or whichever signals it is told of, is noted while one of these lives instead of ending the program; a
/// second one ends it at once (a second SIGHUP, or a SIGTERM that comes with the first, says nothing new). A SIGHUP
/// that is ignored stays so. Not nested.
class InterruptGuard {
 public:
  explicit InterruptGuard(std::initializer_list<int> signals = {SIGINT});
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  bool interrupted() const { return flag().load(); }
  /// Set while it is interrupted: what an InterruptScope looks at.
  const std::atomic<bool>& flag() const;
  /// A file descriptor that polls as readable once interrupted, whichever thread the signal came to.
  int descriptor() const;
  /// Forgets it: what was interrupted has ended.
  void reset();
  /// What the first signal writes to standard error: that it was heard, where the end may take its time. nullptr:
  /// nothing. `text` must outlive that, or the guard.
  void set_first_words(const char* text);
  /// What a second signal writes before it ends the program: what puts the terminal right, and what is kept. nullptr:
  /// nothing. `text` must outlive that, or the guard.
  void set_last_words(int descriptor, const char* text);
  /// And how it leaves the terminal on standard input; nullptr: as it is. `mode` must outlive that.
  void set_last_mode(const termios* mode);

 private:
  std::vector<int> signals_;
};

}  // namespace caravel::cli
