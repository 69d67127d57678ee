#include "sandbox/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "sandbox/sanitized.h"

namespace caravel::sandbox {
namespace {

constexpr int kBridge = 3;  // the descriptor of the child's end
constexpr int kGiven = 4;   // that of what it is given
constexpr int kAboveAll = 5;
constexpr int kSignals = 64;
// Linux keeps this folder for programs of its early days: it is empty, and nothing can be made in it.
constexpr const char* kEmptyFolder = "/proc/tty/ldisc";

class Descriptor {
 public:
  /// Takes one over; of those that the child has from its start on, it gets another number.
  explicit Descriptor(int fd) : fd_(fd) {
    if (fd_ < 0 || fd_ >= kAboveAll) return;
    fd_ = ::fcntl(fd, F_DUPFD_CLOEXEC, kAboveAll);
    ::close(fd);
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct Ceiling {
  int resource;
  rlimit limit;
};

/// No more than what this process may itself.
Ceiling ceiling(int resource, rlim_t most) {
  rlimit now{};
  ::getrlimit(static_cast<__rlimit_resource_t>(resource), &now);
  most = std::min(most, now.rlim_max);
  return {resource, {most, most}};
}

std::vector<Ceiling> ceilings(const Limits& limits) {
  std::vector<Ceiling> all = {ceiling(RLIMIT_CPU, static_cast<rlim_t>(limits.processor.count())),
                              ceiling(RLIMIT_NOFILE, static_cast<rlim_t>(limits.open_files)),
                              ceiling(RLIMIT_FSIZE, 0),
                              ceiling(RLIMIT_CORE, 0),
                              ceiling(RLIMIT_MEMLOCK, 0),
                              ceiling(RLIMIT_MSGQUEUE, 0)};
  if (!kSanitized) {
    all.push_back(ceiling(RLIMIT_AS, static_cast<rlim_t>(limits.memory_bytes)));
    if (!limits.has_threads) all.push_back(ceiling(RLIMIT_NPROC, 0));
  }
  return all;
}

/// What the new process reads before it becomes the command. It shares all memory with this one until then, which
/// waits: so it makes system calls and nothing else.
struct Start {
  char* const* argv;
  char* const* environment;
  int bridge;
  int null;
  int given;
  const Ceiling* ceilings;
  size_t ceiling_count;
  int error = 0;  // of the call that failed
};

/// As the kernel's own structure, of whichever processor: all zero, which is what the signal does by itself.
struct NoAction {
  std::array<uint64_t, 4> words{};
};

#define CARAVEL_TRY(...)            \
  if (::syscall(__VA_ARGS__) < 0) { \
    start.error = errno;            \
    ::syscall(SYS_exit_group, 1);   \
  }

__attribute__((no_sanitize("address", "thread", "undefined"))) int become_command(void* data) {
  Start& start = *static_cast<Start*>(data);
  const NoAction none;
  for (int signal = 1; signal <= kSignals; ++signal) ::syscall(SYS_rt_sigaction, signal, &none, nullptr, 8);
  const uint64_t no_signals = 0;
  CARAVEL_TRY(SYS_setsid)
  CARAVEL_TRY(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL)
  CARAVEL_TRY(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL)
  if (::syscall(SYS_chdir, kEmptyFolder) < 0) CARAVEL_TRY(SYS_chdir, "/")
  for (int fd = 0; fd < kBridge; ++fd) CARAVEL_TRY(SYS_dup3, start.null, fd, 0)
  CARAVEL_TRY(SYS_dup3, start.bridge, kBridge, 0)
  if (start.given >= 0) CARAVEL_TRY(SYS_dup3, start.given, kGiven, 0)
  const int above = start.given >= 0 ? kAboveAll : kGiven;
  if (::syscall(SYS_close_range, above, UINT_MAX, 0) < 0) {
    rlimit open{};  // Linux before 5.9
    CARAVEL_TRY(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &open)
    for (auto fd = static_cast<rlim_t>(above); fd < open.rlim_cur; ++fd) ::syscall(SYS_close, fd);
  }
  for (size_t i = 0; i < start.ceiling_count; ++i)
    CARAVEL_TRY(SYS_prlimit64, 0, start.ceilings[i].resource, &start.ceilings[i].limit, nullptr)
  CARAVEL_TRY(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, nullptr, 8)
  CARAVEL_TRY(SYS_execve, start.argv[0], start.argv, start.environment)
  return 1;
}

#undef CARAVEL_TRY

/// While this lives, no signal's handler runs in this thread: it would run in the new process as well.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_{};
};

/// A process that has become the command, or -1 with the reason in errno. Forking would copy the tables of a process
/// that may hold a model of a hundred gigabytes.
pid_t clone_into(Start& start, int namespaces) {
  constexpr size_t kStackBytes = 64 << 10;
  std::vector<std::array<uint64_t, 2>> stack(kStackBytes / 16);
  start.error = 0;
  const NoSignals quiet;
  const pid_t pid =
      ::clone(become_command, stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | SIGCHLD | namespaces, &start);
  if (pid < 0 || start.error == 0) return pid;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  errno = start.error;
  return -1;
}

}  // namespace

Spawned spawn_apart(const std::vector<std::string>& command, const Limits& limits, int given) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    throw fail<IoError>("cannot make a socket: {}", std::strerror(errno));
  Descriptor ours(ends[0]);
  const Descriptor theirs(ends[1]);
  const Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const Descriptor passed(given < 0 ? -1 : ::fcntl(given, F_DUPFD_CLOEXEC, kAboveAll));
  if (ours.get() < 0 || theirs.get() < 0 || null.get() < 0 || (given >= 0 && passed.get() < 0))
    throw fail<IoError>("cannot open what a process needs: {}", std::strerror(errno));
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);

  std::vector<std::string> arguments = command;
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::string path = "PATH=/usr/bin:/bin";
  std::string lang = "LANG=C.UTF-8";
  char* environment[] = {path.data(), lang.data(), nullptr};
  const std::vector<Ceiling> all = ceilings(limits);
  Start start{argv.data(), environment, theirs.get(), null.get(), passed.get(), all.data(), all.size()};
  // Containers often forbid namespaces; what else holds the process does not need them.
  pid_t pid = clone_into(start, CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC);
  if (pid < 0) pid = clone_into(start, 0);
  if (pid < 0) throw fail<IoError>("cannot start {}: {}", command.front(), std::strerror(errno));
  return {pid, ours.release()};
}

}  // namespace caravel::sandbox
