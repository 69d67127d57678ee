#pragma once

#include "cli/interrupt.h"

namespace caravel::cli {

/// What a program that draws over the whole screen writes to standard output when it leaves it, and when it is back
/// (after ctrl-Z and `fg`). Literals; nullptr: nothing.
struct ScreenWords {
  const char* leave = nullptr;
  const char* enter = nullptr;
};

/// While it lives, the terminal on standard input shows nothing of what is typed and takes it as it comes: by lines, as
/// it does otherwise, it keeps 4,096 bytes, and ctrl-C throws them away. Ctrl-C and ctrl-Z stay signals; whichever of
/// them or of others ends or stops the program, the terminal is put right before (of those that nobody else handles).
/// Not nested; does nothing where standard input is no terminal, or nothing is drawn there because standard output is
/// none.
class QuietTerminal {
 public:
  /// guard: must outlive it.
  explicit QuietTerminal(InterruptGuard& guard, const ScreenWords& words = {});
  ~QuietTerminal();
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

 private:
  InterruptGuard& guard_;
  bool is_quiet_ = false;
};

}  // namespace caravel::cli
