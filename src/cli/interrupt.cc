#include "cli/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>

#include "base/error.h"

namespace caravel::cli {
namespace {

std::atomic<int> interrupts = 0;  // two threads may handle a signal each at once
std::atomic<bool> is_interrupted = false;
std::array<int, 2> wake_up = {-1, -1};  // a pipe: the handler writes, descriptor() is its other end

const char* volatile first_words = nullptr;
volatile std::sig_atomic_t last_words_to = STDERR_FILENO;
const char* volatile last_words = nullptr;
const termios* volatile last_mode = nullptr;

timespec first_time = {};  // of the first signal

/// timeout(1) sends its signal to the program and to the program's group: that is one.
bool is_of_the_first_moment() {
  constexpr int64_t kMoment = 100'000'000;  // nanoseconds
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - first_time.tv_sec) * 1'000'000'000 + now.tv_nsec - first_time.tv_nsec < kMoment;
}

/// Nothing where that is waited for too long, as by a terminal that is stopped. Whether it could be written or not: the
/// program ends.
void write_if_taken(int descriptor, const char* text) {
  constexpr int kPatience = 1000;  // milliseconds
  pollfd room = {.fd = descriptor, .events = POLLOUT, .revents = 0};
  [[maybe_unused]] const ssize_t wrote =
      ::poll(&room, 1, kPatience) == 1 ? ::write(descriptor, text, std::strlen(text)) : 0;
}

void note(int signal) {
  // Of a terminal that closes one may hear twice: of the system and of the shell.
  if (signal == SIGHUP && interrupts > 0) return;
  if (signal == SIGTERM && interrupts > 0 && is_of_the_first_moment()) return;
  if (interrupts == 0) ::clock_gettime(CLOCK_MONOTONIC, &first_time);
  if (interrupts.fetch_add(1) > 0) {
    if (const termios* const mode = last_mode; mode != nullptr) ::tcsetattr(STDIN_FILENO, TCSANOW, mode);
    if (const char* const text = last_words; text != nullptr) write_if_taken(last_words_to, text);
    ::_exit(kInterruptedExitCode);
  }
  is_interrupted = true;
  const int saved = errno;
  if (const char* const text = first_words; text != nullptr) write_if_taken(STDERR_FILENO, text);
  // A full pipe is readable all the same.
  [[maybe_unused]] const ssize_t wrote = ::write(wake_up[1], "", 1);
  errno = saved;
}

void handle_with(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

/// As nohup leaves it: the terminal may go.
bool is_ignored_hangup(int signal) {
  struct sigaction action = {};
  return signal == SIGHUP && ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

InterruptGuard::InterruptGuard(std::initializer_list<int> signals) : signals_(signals) {
  if (wake_up[0] < 0 && ::pipe2(wake_up.data(), O_NONBLOCK | O_CLOEXEC) != 0) {
    throw fail<IoError>("cannot make a pipe: {}", std::strerror(errno));
  }
  reset();
  std::erase_if(signals_, is_ignored_hangup);
  for (const int signal : signals_) handle_with(signal, note);
}

InterruptGuard::~InterruptGuard() {
  first_words = nullptr;
  last_words = nullptr;
  // A second signal ends the program at once, also while what the first one stopped is taken apart.
  if (interrupted()) return;
  for (const int signal : signals_) handle_with(signal, SIG_DFL);
}

const std::atomic<bool>& InterruptGuard::flag() const { return is_interrupted; }

int InterruptGuard::descriptor() const { return wake_up[0]; }

void InterruptGuard::reset() {
  interrupts = 0;
  is_interrupted = false;
  for (char drained = 0; ::read(wake_up[0], &drained, 1) > 0;) {
  }
}

void InterruptGuard::set_first_words(const char* text) { first_words = text; }

void InterruptGuard::set_last_words(int descriptor, const char* text) {
  last_words_to = descriptor;
  last_words = text;
}

void InterruptGuard::set_last_mode(const termios* mode) { last_mode = mode; }

}  // namespace caravel::cli
