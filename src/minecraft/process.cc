#include "minecraft/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/error.h"
#include "base/json_reader.h"
#include "base/printable.h"

namespace caravel::minecraft {
namespace {

constexpr size_t kMostDepth = 64;
constexpr size_t kMostBytes = size_t{1} << 28;  // of a line: a whole world that is saved
constexpr size_t kLastWords = 300;
constexpr std::chrono::milliseconds kFarewell{2000};

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) throw fail<IoError>("cannot make a pipe: {}", std::strerror(errno));
    read = ends[0];
    write = ends[1];
  }
};

std::vector<std::string> plain_environment() {
  std::vector<std::string> environment;
  for (const char* const name : {"PATH", "HOME", "LANG"})
    if (const char* const value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

Clock::time_point in_seconds(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

/// False: not before the deadline.
bool wait_until(int fd, short events, Clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd one{fd, events, 0};
    if (::poll(&one, 1, static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30))) > 0) return true;
    if (left <= 0) return false;
  }
}

}  // namespace

Process::Process(std::string name, const std::vector<std::string>& command) : name_(std::move(name)) {
  const Pipe in, out, err;
  std::vector<std::string> words = command, environment = plain_environment();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in.read, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.write, 1);
  ::posix_spawn_file_actions_adddup2(&actions, err.write, 2);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // A group of its own: ctrl-C at the terminal is for this program, which ends it when it is done with it.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const int error = ::posix_spawn(&pid_, words.front().c_str(), &actions, &attributes, pointers(words).data(),
                                  pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  for (const int theirs : {in.read, out.write, err.write}) ::close(theirs);
  to_ = in.write;
  from_ = out.read;
  errors_ = err.read;
  for (const int ours : {to_, from_, errors_}) ::fcntl(ours, F_SETFL, O_NONBLOCK);
  if (error == 0) return;
  for (const int ours : {to_, from_, errors_}) ::close(ours);
  throw fail<IoError>("cannot start {}: {}", command.front(), std::strerror(error));
}

Process::~Process() {
  if (to_ >= 0) ::close(to_);
  const Clock::time_point deadline = Clock::now() + kFarewell;
  while (::waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (Clock::now() >= deadline) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ::close(from_);
  ::close(errors_);
}

void Process::send(std::string_view line, Clock::time_point deadline) {
  std::string rest = std::string(line) + '\n';
  // A write to a pipe that nobody reads raises SIGPIPE, which is for whoever runs this program.
  sigset_t broken;
  ::sigemptyset(&broken);
  ::sigaddset(&broken, SIGPIPE);
  while (!rest.empty()) {
    sigset_t before;
    ::pthread_sigmask(SIG_BLOCK, &broken, &before);
    const ssize_t sent = ::write(to_, rest.data(), rest.size());
    const int error = sent < 0 ? errno : 0;
    constexpr timespec kNow{};
    if (error == EPIPE) ::sigtimedwait(&broken, nullptr, &kNow);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (sent > 0) {
      rest.erase(0, static_cast<size_t>(sent));
    } else if (error == EAGAIN) {
      if (!wait_until(to_, POLLOUT, deadline)) throw fail<IoError>("{} takes nothing any more", name_);
    } else if (error != EINTR) {
      fail_ended();
    }
  }
}

void Process::fail_ended() {
  std::string words;
  std::array<char, 4096> piece;
  for (ssize_t count; (count = ::read(errors_, piece.data(), piece.size())) > 0;)
    words.append(piece.data(), static_cast<size_t>(count));
  while (!words.empty() && words.back() == '\n') words.pop_back();
  const std::string last = words.substr(words.rfind('\n') + 1);  // of nothing: all of it
  if (last.empty()) throw fail<IoError>("{} has ended", name_);
  throw IoError(printable(last, kLastWords));
}

Json Process::receive(double seconds) {
  const Clock::time_point deadline = in_seconds(seconds);
  while (true) {
    const size_t end = read_.find('\n', looked_at_);
    if (end != std::string::npos) {
      const std::string line = read_.substr(0, end);
      read_.erase(0, end + 1);
      looked_at_ = 0;
      try {
        return read_json(line, kMostDepth);
      } catch (const FormatError& error) {
        throw fail<IoError>("{} answers with what is no JSON: {}", name_, error.what());
      }
    }
    looked_at_ = read_.size();
    if (read_.size() > kMostBytes) throw fail<IoError>("{} answers with more than {} bytes", name_, kMostBytes);
    std::array<char, 64 << 10> piece;
    const ssize_t count = ::read(from_, piece.data(), piece.size());
    if (count > 0) {
      read_.append(piece.data(), static_cast<size_t>(count));
    } else if (count == 0) {
      fail_ended();
    } else if (errno == EAGAIN) {
      if (!wait_until(from_, POLLIN, deadline))
        throw fail<IoError>("{} does not answer within {} seconds", name_, seconds);
    } else if (errno != EINTR) {
      throw fail<IoError>("{} cannot be read: {}", name_, std::strerror(errno));
    }
  }
}

Json Process::ask(const Json& order, double seconds) {
  send(to_text(order), in_seconds(seconds));
  Json answer = receive(seconds);
  if (answer.is_object() && answer.value("ok", false)) return answer;
  const std::string why =
      !answer.is_object() ? "it answers with no object" : answer.value("ended", answer.value("error", "no reason"));
  throw fail<IoError>("{}: {}", name_, printable(why, kLastWords));
}

}  // namespace caravel::minecraft
