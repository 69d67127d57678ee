#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "fields/json.h"

namespace caravel::minecraft {

/// A program of this world's own, which is trusted: lines of JSON go to its stdin and come from its stdout. It has no
/// more of this program's environment than PATH, HOME and LANG. One thread.
class Process {
 public:
  /// `name`: in messages. Throws IoError.
  Process(std::string name, const std::vector<std::string>& command);
  /// Closes its stdin, waits for a moment, then kills it.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Sends the order and gives the answer, an object with "ok": true. Throws IoError where it is refused, has ended
  /// (what it said last on stderr), or does not answer within `seconds`.
  Json ask(const Json& order, double seconds);
  /// The next line. Throws IoError.
  Json receive(double seconds);

 private:
  void send(std::string_view line, Clock::time_point deadline);
  [[noreturn]] void fail_ended();

  const std::string name_;
  pid_t pid_ = -1;
  int to_ = -1, from_ = -1, errors_ = -1;
  std::string read_;  // and not given out yet
  size_t looked_at_ = 0;
};

}  // namespace caravel::minecraft
