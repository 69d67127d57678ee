#pragma once

#include <cstdint>
#include <string>

namespace caravel {

/// Memory that this process may still take.
struct AvailableMemory {
  int64_t bytes = 0;
  std::string bound_by;  // what sets the bound, with its numbers, for people
};

/// The least of what the system has, what the control groups around this process leave of their limits (both versions;
/// page cache that nobody has used twice is given back when it is needed and does not count as taken), and what ulimit
/// leaves of addresses (-v; threads take some that they never touch) and of data (-d). `root` stands for "/" in tests.
AvailableMemory available_memory(const std::string& root = "");

/// There is a `ulimit -v`: threads, whose stacks and arenas reserve addresses, are to be few.
bool addresses_are_limited();

/// "300 KiB", "450 MiB", "2.0 GiB".
std::string memory_text(int64_t bytes);

}  // namespace caravel
