// What the system holds of a child that runs Node, by itself and with what Node holds: harmless payloads, each of which
// ends as an error, and nothing outside has changed.

#include "sandbox/node/node_child.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "fixtures.h"
#include "sandbox/child.h"
#include "sandbox/node/calls.h"
#include "sandbox/node/files.h"
#include "sandbox/sanitized.h"

namespace caravel::sandbox::node {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

/// 0 where it went through, or the error's number: in a process of its own, after `close_off`.
int error_after(const std::function<bool()>& close_off, const std::function<int()>& attempt) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (!close_off()) ::_exit(255);
    errno = 0;
    ::_exit(attempt() < 0 ? errno : 0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class NodeChild : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = (std::filesystem::path(tests::source_dir()) / "worlds" / "minecraft").string();
    std::error_code none;
    node_ = std::filesystem::canonical(folder_ + "/node_modules/.bin/node", none).string();
  }

  /// What the child answers to a line of JavaScript, or how it ended.
  std::string run(const std::string& line, std::chrono::seconds patience = std::chrono::seconds(60)) {
    Child child(node_command(node_, folder_, folder_ + "/test/run_line.js", {}), limits_);
    const Clock::time_point deadline = Clock::now() + patience;
    child.send(line, deadline);
    std::string answer;
    switch (child.receive(answer, deadline)) {
      case Child::Got::kLine:
        return answer;
      case Child::Got::kDeadline:
        return "deadline";
      case Child::Got::kTooLong:
        return "too long";
      case Child::Got::kEnded:
        break;
    }
    return child.ending();
  }

  bool lacks_node() const { return node_.empty() || kSanitized; }

  std::string folder_, node_;
  Limits limits_{.memory_bytes = int64_t{1536} << 20,
                 .processor = std::chrono::seconds(60),
                 .open_files = 64,
                 .has_threads = true};
};

#define SKIP_WITHOUT_NODE() \
  if (lacks_node()) GTEST_SKIP() << "worlds/minecraft is not installed, or this build has a sanitizer"

TEST(NodeChildFilter, CallsThatHarmFail) {
  if (kSanitized) GTEST_SKIP() << "sanitizers make such calls themselves";
  const auto refused = [](const std::function<int()>& attempt) { return error_after(forbid_harm, attempt); };
  EXPECT_EQ(refused([] { return ::fork(); }), EPERM);
  EXPECT_EQ(refused([] { return ::socket(AF_INET, SOCK_STREAM, 0); }), EPERM);
  EXPECT_EQ(refused([] { return ::kill(::getppid(), 0); }), EPERM);
  EXPECT_EQ(refused([] { return ::open("/dev/null", O_WRONLY); }), EPERM);
  EXPECT_EQ(refused([] { return ::open("/dev/null", O_RDWR); }), EPERM);
  EXPECT_EQ(refused([] { return ::open("/tmp/caravel-none", O_RDONLY | O_CREAT, 0600); }), EPERM);
  EXPECT_EQ(refused([] { return ::rename("/tmp/caravel-none", "/tmp/caravel-other"); }), EPERM);
  EXPECT_EQ(refused([] { return ::unlink("/tmp/caravel-none"); }), EPERM);
  EXPECT_EQ(refused([] { return ::chmod("/tmp/caravel-none", 0); }), EPERM);
  EXPECT_EQ(refused([] { return ::open("/dev/null", O_RDONLY); }), 0);
}

TEST(NodeChildFiles, OnlyItsFolderIsRead) {
  const std::filesystem::path path = tests::temporary_path("node_child");
  std::filesystem::create_directories(path / "inside");
  std::ofstream(path / "inside" / "file") << "inside";
  std::ofstream(path / "file") << "outside";
  const auto close_off = [&] { return read_only_within((path / "inside").string()); };
  const auto opens = [&](const std::filesystem::path& file, int how) {
    return error_after(close_off, [&] { return ::open(file.c_str(), how); });
  };
  if (opens(path / "inside" / "file", O_RDONLY) == 255) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(opens(path / "inside" / "file", O_RDONLY), 0);
  EXPECT_EQ(opens(path / "inside" / "file", O_WRONLY), EACCES);
  EXPECT_EQ(opens(path / "file", O_RDONLY), EACCES);
  EXPECT_EQ(opens("/proc/self/environ", O_RDONLY), EACCES);
  EXPECT_EQ(opens("/etc/passwd", O_RDONLY), EACCES);
  EXPECT_EQ(error_after(close_off, [&] { return ::unlink((path / "inside" / "file").c_str()); }), EACCES);
  std::filesystem::remove_all(path);
}

TEST_F(NodeChild, RunsAndHasNothingOfOurs) {
  SKIP_WITHOUT_NODE();
  ::setenv("CARAVEL_TEST_SECRET", "secret", 1);
  EXPECT_EQ(run("return Object.keys(process.env).sort().join(' ')"), R"({"value":"LANG PATH"})");
  ::unsetenv("CARAVEL_TEST_SECRET");
  EXPECT_EQ(run("return load('vec3').Vec3.length"), R"({"value":3})");  // it reads its folder
}

TEST_F(NodeChild, NeitherFilesNorProcessesNorNetwork) {
  SKIP_WITHOUT_NODE();
  const std::string denied = R"({"error":"ERR_ACCESS_DENIED"})";
  EXPECT_EQ(run("return load('fs').readFileSync('/etc/passwd')"), denied);
  EXPECT_EQ(run("return load('fs').writeFileSync('/tmp/caravel-none', 'x')"), denied);
  EXPECT_EQ(run("load('child_process').execFileSync('/bin/true')"), denied);
  EXPECT_EQ(run("process.execve('/bin/true')"), denied);
  // Node's flags say nothing of these.
  EXPECT_THAT(run("process.kill(process.ppid || 1, 0)"), AnyOf(HasSubstr("EPERM"), HasSubstr("ESRCH")));
  EXPECT_THAT(run("await new Promise((done, fail) => load('net').connect(9, '127.0.0.1', done).once('error', fail))"),
              AnyOf(HasSubstr("EPERM"), HasSubstr("EACCES"), HasSubstr("ENETUNREACH")));
  EXPECT_THAT(run("await new Promise((done, fail) => load('net').createServer().listen(0, done).once('error', fail))"),
              AnyOf(HasSubstr("EPERM"), HasSubstr("EACCES")));
  EXPECT_THAT(
      run("await new Promise((done, fail) => load('dgram').createSocket('udp4').bind(0, done).once('error', fail))"),
      AnyOf(HasSubstr("EPERM"), HasSubstr("EACCES")));
}

TEST_F(NodeChild, MemoryIsBoundedInsideOfTheHeapAndOutside) {
  SKIP_WITHOUT_NODE();
  EXPECT_THAT(run("const all = []; for (;;) all.push(new Array(1e5).fill(0.5))"), StartsWith("was killed: SIG"));
  // It comes to an error of the allocation's, or to an end: in any case not to four gigabytes.
  EXPECT_THAT(
      run("const all = []; for (let i = 0; i < 256; i++) all.push(Buffer.alloc(16 << 20, 1)); return all.length"),
      AnyOf(HasSubstr("error"), StartsWith("was killed: SIG")));
}

TEST_F(NodeChild, LoopsEndAtDeadlinesAndAtTheProcessorsTime) {
  SKIP_WITHOUT_NODE();
  EXPECT_EQ(run("for (;;);", std::chrono::seconds(2)), "deadline");
  EXPECT_EQ(run("await new Promise(() => {})", std::chrono::seconds(2)), "deadline");
  limits_.processor = std::chrono::seconds(2);
  EXPECT_THAT(run("for (;;);"), AnyOf("was killed: SIGXCPU", "was killed: SIGKILL"));
}

}  // namespace
}  // namespace caravel::sandbox::node
