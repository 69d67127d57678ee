#include "cli/quiet_terminal.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace caravel::cli {
namespace {

termios shown_mode = {};  // what the handlers below put back
termios quiet_mode = {};
ScreenWords screen_words = {};

constexpr int kEndings[] = {SIGTERM, SIGHUP, SIGQUIT};

void write_words(const char* words) {
  // Whether it could be written or not: the terminal may have gone.
  [[maybe_unused]] const ssize_t wrote = words == nullptr ? 0 : ::write(STDOUT_FILENO, words, std::strlen(words));
}

bool is_free(int signal) {
  struct sigaction action = {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_DFL;
}

void set_handler(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

/// The signal does what it does to a program that does not handle it.
void take_effect(int signal) {
  set_handler(signal, SIG_DFL);
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::raise(signal);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

void end_by(int signal) {
  write_words(screen_words.leave);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &shown_mode);
  take_effect(signal);
}

/// Ctrl-Z, and all until `fg`.
void stop_by(int signal) {
  const int saved = errno;
  write_words(screen_words.leave);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &shown_mode);
  take_effect(signal);
  set_handler(signal, stop_by);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &quiet_mode);
  write_words(screen_words.enter);
  errno = saved;
}

}  // namespace

QuietTerminal::QuietTerminal(InterruptGuard& guard, const ScreenWords& words) : guard_(guard) {
  if (::isatty(STDOUT_FILENO) != 1 || ::tcgetattr(STDIN_FILENO, &shown_mode) != 0) return;
  is_quiet_ = true;
  screen_words = words;
  quiet_mode = shown_mode;
  quiet_mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  quiet_mode.c_lflag |= NOFLSH;
  quiet_mode.c_iflag &= ~static_cast<tcflag_t>(ICRNL | INLCR);  // as the editor of lines reads it
  quiet_mode.c_cc[VMIN] = 1;
  quiet_mode.c_cc[VTIME] = 0;
  guard_.set_last_mode(&shown_mode);
  for (const int signal : kEndings) {
    if (is_free(signal)) set_handler(signal, end_by);
  }
  set_handler(SIGTSTP, stop_by);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &quiet_mode);
}

QuietTerminal::~QuietTerminal() {
  if (!is_quiet_) return;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &shown_mode);
  for (const int signal : kEndings) {
    struct sigaction action = {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == end_by) set_handler(signal, SIG_DFL);
  }
  set_handler(SIGTSTP, SIG_DFL);
  guard_.set_last_mode(nullptr);
}

}  // namespace caravel::cli
