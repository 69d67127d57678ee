#include "cli/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace caravel::cli {
namespace {

volatile std::sig_atomic_t interrupts = 0;

void note(int) {
  interrupts = interrupts + 1;
  if (interrupts > 1) ::_exit(kInterruptedExitCode);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  interrupts = 0;
  struct sigaction action = {};
  action.sa_handler = note;
  ::sigaction(SIGINT, &action, nullptr);
}

InterruptGuard::~InterruptGuard() {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  ::sigaction(SIGINT, &action, nullptr);
}

bool InterruptGuard::interrupted() const { return interrupts > 0; }

void InterruptGuard::reset() { interrupts = 0; }

}  // namespace caravel::cli
