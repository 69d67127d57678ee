#include "sandbox/lua/filter.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "sandbox/sanitized.h"

namespace caravel::sandbox::lua {
namespace {

/// How a process ends that does this behind the filter: its exit status, or minus the signal.
int ending_of(const std::function<void()>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!allow_only(STDERR_FILENO)) ::_exit(99);
    act();
    ::syscall(SYS_exit_group, 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class Filter : public testing::Test {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "sanitizers make calls of their own";
  }
};

TEST_F(Filter, LetsItUseMemoryAndItsDescriptor) {
  EXPECT_EQ(ending_of([] {
              for (size_t bytes = 1 << 10; bytes < 1 << 28; bytes *= 4) {
                void* const block = std::malloc(bytes);
                std::free(std::realloc(block, bytes * 2));
              }
              if (::write(STDERR_FILENO, "", 0) != 0) ::syscall(SYS_exit_group, 1);
            }),
            0);
}

TEST_F(Filter, KillsItForAnythingElse) {
  const std::pair<const char*, std::function<void()>> acts[] = {
      {"open", [] { ::open("/etc/passwd", O_RDONLY); }},
      {"another descriptor", [] { (void)!::write(STDOUT_FILENO, "", 0); }},
      {"socket", [] { ::socket(AF_INET, SOCK_STREAM, 0); }},
      {"fork", [] { ::fork(); }},
      {"execve", [] { ::execl("/bin/true", "true", nullptr); }},
      {"kill", [] { ::kill(::getppid(), SIGTERM); }},
      {"code in memory", [] { ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }},
      {"a file in memory", [] { ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, STDERR_FILENO, 0); }},
      {"unlink", [] { ::unlink("/nowhere"); }},
      {"prctl", [] { ::prctl(PR_SET_NAME, "x", 0, 0, 0); }},
      {"ptrace", [] { ::syscall(SYS_ptrace, 0, 0, 0, 0); }},
  };
  for (const auto& [name, act] : acts) EXPECT_EQ(ending_of(act), -SIGSYS) << name;
}

}  // namespace
}  // namespace caravel::sandbox::lua
