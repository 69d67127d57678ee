#include "sandbox/child.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>

#include "base/error.h"
#include "sandbox/spawn.h"

namespace caravel::sandbox {
namespace {

/// False: not before the deadline.
bool wait_for(int fd, short events, Clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd one{fd, events, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30)));
    if (ready > 0) return true;
    if (ready == 0 && left <= 0) return false;
    if (ready < 0 && errno != EINTR) return false;
  }
}

std::string ending_of(int status) {
  if (WIFEXITED(status)) return fmt::format("ended with {}", WEXITSTATUS(status));
  const char* const name = ::sigabbrev_np(WTERMSIG(status));
  return name == nullptr ? fmt::format("was killed: signal {}", WTERMSIG(status))
                         : fmt::format("was killed: SIG{}", name);
}

}  // namespace

struct Child::Impl {
  Spawned process;
  int64_t line_bytes;
  std::string read;      // and not given out yet
  size_t looked_at = 0;  // of that, without an end of a line
  std::string ending;

  /// It has closed its end, or is to go: whatever else it does.
  void end() {
    if (process.pid < 0) return;
    ::kill(-process.pid, SIGKILL);
    ::kill(process.pid, SIGKILL);
    int status = 0;
    pid_t reaped = 0;
    do {
      reaped = ::waitpid(process.pid, &status, 0);
    } while (reaped < 0 && errno == EINTR);
    ending = reaped < 0 ? "ended" : ending_of(status);
    process.pid = -1;
    ::close(process.socket);
    process.socket = -1;
  }

  /// kLine, kTooLong; nothing: there is no whole line yet.
  std::optional<Got> next_line(std::string& line) {
    const size_t end = read.find('\n', looked_at);
    const size_t length = std::min(end, read.size());
    if (static_cast<int64_t>(length) > line_bytes) return Got::kTooLong;
    if (end == std::string::npos) {
      looked_at = read.size();
      return std::nullopt;
    }
    line.assign(read, 0, end);
    read.erase(0, end + 1);
    looked_at = 0;
    return Got::kLine;
  }
};

Child::Child(const std::vector<std::string>& command, const Limits& limits, int given)
    : impl_(new Impl{spawn_apart(command, limits, given), limits.line_bytes}) {}

Child::~Child() { impl_->end(); }

bool Child::send(std::string_view line, Clock::time_point deadline) {
  std::string rest = std::string(line) + '\n';
  while (!rest.empty()) {
    if (impl_->process.socket < 0) return false;
    const ssize_t sent = ::send(impl_->process.socket, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      rest.erase(0, static_cast<size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!wait_for(impl_->process.socket, POLLOUT, deadline)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

Child::Got Child::receive(std::string& line, Clock::time_point deadline) {
  while (true) {
    if (const auto got = impl_->next_line(line)) return *got;
    if (impl_->process.socket < 0) return Got::kEnded;
    std::array<char, 16 << 10> piece;
    const ssize_t count = ::recv(impl_->process.socket, piece.data(), piece.size(), 0);
    if (count > 0) {
      impl_->read.append(piece.data(), static_cast<size_t>(count));
    } else if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (!wait_for(impl_->process.socket, POLLIN, deadline)) return Got::kDeadline;
    } else if (count == 0 || errno != EINTR) {
      impl_->end();
    }
  }
}

void Child::kill() {
  impl_->end();
  impl_->read.clear();
  impl_->looked_at = 0;
}

const std::string& Child::ending() const { return impl_->ending; }

}  // namespace caravel::sandbox
