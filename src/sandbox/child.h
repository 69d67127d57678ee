#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace caravel::sandbox {

/// What a child may take. The system holds it to these, whatever its language does itself.
struct Limits {
  int64_t memory_bytes = 512 << 20;    // RLIMIT_AS
  std::chrono::seconds processor{30};  // RLIMIT_CPU
  int64_t open_files = 16;             // RLIMIT_NOFILE: a program and its libraries, while they are loaded
  bool has_threads = false;            // else RLIMIT_NPROC lets it start none, nor any process
  int64_t line_bytes = 1 << 20;        // of one line that it sends; a longer one ends it
};

/// A process for code that nobody trusts: another program, with an environment of nothing but PATH and LANG, an empty
/// working folder that nothing can be written to, no files but one socket (descriptor 3), /dev/null and what it is
/// given (descriptor 4), no new privileges, resource limits, and killed with its parent. Lines of JSON go both ways
/// over the socket. One thread.
class Child {
 public:
  /// `given`: a descriptor of this process that the child has a copy of; -1: none. Throws IoError.
  Child(const std::vector<std::string>& command, const Limits& limits, int given = -1);
  /// Kills it (SIGKILL) and waits for it.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Whole lines, without their ends. False: it has ended, or takes nothing any more before the deadline.
  bool send(std::string_view line, Clock::time_point deadline);

  enum class Got : uint8_t { kLine, kDeadline, kEnded, kTooLong };
  /// The next line.
  Got receive(std::string& line, Clock::time_point deadline);

  /// SIGKILL, at once; receive() then gives kEnded.
  void kill();
  /// After kEnded: "ended with 1", "was killed: SIGXCPU".
  const std::string& ending() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace caravel::sandbox
