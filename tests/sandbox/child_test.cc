#include "sandbox/child.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/error.h"

namespace caravel::sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Clock::time_point soon() { return Clock::now() + seconds(20); }

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

/// Every line, and then how it ended.
std::vector<std::string> lines_of(Child& child) {
  std::vector<std::string> lines;
  std::string line;
  Child::Got got;
  while ((got = child.receive(line, soon())) == Child::Got::kLine) lines.push_back(line);
  lines.push_back(got == Child::Got::kEnded ? child.ending() : got == Child::Got::kTooLong ? "too long" : "deadline");
  return lines;
}

std::vector<std::string> run(const std::string& script, const Limits& limits = {}) {
  Child child(shell(script), limits);
  return lines_of(child);
}

TEST(Child, LinesGoBothWays) {
  Child child(shell("while read -r line <&3; do echo \"got $line\" >&3; done; exit 7"), {});
  std::string line;
  for (const std::string& text : std::vector<std::string>{"one", "", std::string(300'000, 'x')}) {
    ASSERT_TRUE(child.send(text, soon()));
    ASSERT_EQ(child.receive(line, soon()), Child::Got::kLine);
    EXPECT_EQ(line, "got " + text);
  }
  EXPECT_EQ(child.receive(line, Clock::now() + milliseconds(20)), Child::Got::kDeadline);
  child.kill();
  EXPECT_EQ(child.receive(line, soon()), Child::Got::kEnded);
  EXPECT_EQ(child.ending(), "was killed: SIGKILL");
  EXPECT_FALSE(child.send("more", soon()));
}

TEST(Child, HowItEnded) {
  EXPECT_THAT(run("exit 3"), ElementsAre("ended with 3"));
  EXPECT_THAT(run("echo last >&3; exit 0"), ElementsAre("last", "ended with 0"));
  EXPECT_THAT(run("exec 3>&-; while :; do :; done"), ElementsAre("was killed: SIGKILL")) << "it has closed the bridge";
}

TEST(Child, HasNothingOfItsParents) {
  ::setenv("CARAVEL_TEST_SECRET", "secret", 1);
  const int open_file = ::open("/dev/null", O_RDONLY);
  const int high = ::fcntl(open_file, F_DUPFD, 500);  // not closed on exec
  EXPECT_THAT(
      run("/usr/bin/env | /usr/bin/sort >&3"),
      AnyOf(ElementsAre("LANG=C.UTF-8", "PATH=/usr/bin:/bin", StartsWith("PWD="), StartsWith("_="), "ended with 0"),
            ElementsAre("LANG=C.UTF-8", "PATH=/usr/bin:/bin", StartsWith("PWD="), "ended with 0"),
            ElementsAre("ended with 2")));
  // By the shell alone: it may start no process.
  EXPECT_THAT(run("for f in /proc/self/fd/*; do echo ${f##*/} >&3; done; echo \"$CARAVEL_TEST_SECRET.\" >&3"),
              ElementsAre("0", "1", "2", "3", AnyOf("4", "."), testing::_, testing::_));
  EXPECT_THAT(run("set -- *; echo \"$1 $(pwd)\" >&3; echo x 2>/dev/null >made && echo made >&3; exit 0"),
              testing::Not(testing::Contains("made")));
  ::close(high);
  ::close(open_file);
  ::unsetenv("CARAVEL_TEST_SECRET");
}

TEST(Child, IsHeldToItsLimits) {
  const std::vector<std::string> limits =
      run("while read -r line; do case $line in 'Max cpu'*|'Max file size'*|'Max core'*|'Max open'*) "
          "set -- $line; echo \"$2 $3 $4 $5\" >&3;; esac; done </proc/self/limits",
          {.processor = seconds(5)});
  EXPECT_THAT(limits,
              ElementsAre("cpu time 5 5", "file size 0 0", "core file size 0", "open files 16 16", "ended with 0"));
  EXPECT_THAT(run("while read -r line; do case $line in NoNewPrivs*) echo $line >&3;; esac; done </proc/self/status"),
              ElementsAre(StartsWith("NoNewPrivs:"), "ended with 0"));
  EXPECT_THAT(run("while :; do :; done", {.processor = seconds(1)}),
              ElementsAre(AnyOf("was killed: SIGKILL", "was killed: SIGXCPU")));
}

TEST(Child, OutputWithoutEnd) {
  Limits limits;
  limits.line_bytes = 1000;
  EXPECT_THAT(run("while :; do printf xxxxxxxxxxxxxxxx >&3; done", limits), ElementsAre("too long"));
  EXPECT_THAT(run("echo short >&3; while :; do printf '%01001d\\n' 1 >&3; done", limits),
              ElementsAre("short", "too long"));
  Child child(shell("while :; do echo again >&3; done"), {});
  std::string line;
  for (int i = 0; i < 100; ++i) ASSERT_EQ(child.receive(line, soon()), Child::Got::kLine);
}

TEST(Child, TakesNothingBeforeTheDeadline) {
  Child child(shell("while :; do :; done"), {});
  const auto start = Clock::now();
  EXPECT_FALSE(child.send(std::string(10 << 20, 'x'), Clock::now() + milliseconds(50)));
  EXPECT_LT(seconds_since(start), 5);
}

TEST(Child, CannotBeStarted) {
  try {
    Child child({"/nowhere/program"}, {});
    FAIL();
  } catch (const IoError& error) {
    EXPECT_STREQ(error.what(), "cannot start /nowhere/program: No such file or directory");
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

TEST(Child, DiesWithItsParent) {
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    Child child(shell("echo up >&3; while :; do :; done"), {});
    std::string line;
    const bool up = child.receive(line, soon()) == Child::Got::kLine;
    std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
    pid_t pid = 0;
    children >> pid;
    if (up && ::write(pipe[1], &pid, sizeof pid) == sizeof pid) ::raise(SIGKILL);
    ::_exit(1);
  }
  pid_t child = 0;
  ASSERT_EQ(::read(pipe[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  ::waitpid(parent, nullptr, 0);
  ::close(pipe[0]);
  ::close(pipe[1]);
  ASSERT_GT(child, 1);
  const auto is_running = [&] {
    std::ifstream file("/proc/" + std::to_string(child) + "/stat");
    std::string number, name, state;
    return static_cast<bool>(file >> number >> name >> state) && state != "Z";
  };
  const auto deadline = soon();
  while (is_running() && Clock::now() < deadline) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_FALSE(is_running());
}

TEST(Child, MayBeMadeByAThread) {
  // It is killed when the thread that made it ends, so that one keeps it.
  std::vector<std::string> lines;
  std::thread([&] { lines = run("echo here >&3"); }).join();
  EXPECT_THAT(lines, ElementsAre("here", "ended with 0"));
}

}  // namespace
}  // namespace caravel::sandbox
