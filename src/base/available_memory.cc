#include "base/available_memory.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <utility>

#include "base/cgroup.h"
#include "base/numbers.h"

namespace caravel {
namespace {

// Stacks of threads that are yet to begin, and a few of malloc's arenas: addresses, of which little is ever touched.
constexpr int64_t kThreadAddresses = int64_t{192} << 20;
constexpr int64_t kNoLimit = int64_t{1} << 62;  // the first version writes a number near 2^63 where there is none

/// A limit that is none, as "max" and "unlimited" are, is nothing.
std::optional<int64_t> limit_in(const std::optional<std::string>& text) {
  const std::optional<int64_t> limit = parse_number<int64_t>(text.value_or(""));
  return limit && *limit >= 0 && *limit < kNoLimit ? limit : std::nullopt;
}

/// The number behind `key` in a file of "key number" lines.
int64_t number_behind(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  std::string name;
  for (std::string rest; file >> name && std::getline(file, rest);) {
    if (name != key) continue;
    int64_t number = 0;
    std::istringstream(rest) >> number;
    return number;
  }
  return 0;
}

AvailableMemory of_system(const std::string& root) {
  int64_t bytes = number_behind(root + "/proc/meminfo", "MemAvailable:") << 10;
  if (bytes == 0) bytes = int64_t{::sysconf(_SC_AVPHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
  return {.bytes = bytes, .bound_by = "the system"};
}

std::optional<AvailableMemory> of_group(const Cgroup& group) {
  const bool v2 = group.version == Cgroup::Version::kV2;
  std::optional<int64_t> limit = limit_in(cgroup_line(group, v2 ? "memory.max" : "memory.limit_in_bytes"));
  if (v2) {
    // Beyond `high` a group is not killed, but slowed down until it stands.
    const std::optional<int64_t> high = limit_in(cgroup_line(group, "memory.high"));
    if (high && (!limit || *high < *limit)) limit = high;
  }
  if (!limit) return std::nullopt;
  const int64_t usage = limit_in(cgroup_line(group, v2 ? "memory.current" : "memory.usage_in_bytes")).value_or(0);
  const int64_t cache = number_behind(group.folder + "/memory.stat", v2 ? "inactive_file" : "total_inactive_file");
  const int64_t used = usage - std::clamp<int64_t>(cache, 0, usage);
  return AvailableMemory{.bytes = std::max<int64_t>(0, *limit - used),
                         .bound_by = fmt::format("control group {}: limit {}, {} in use", group.folder,
                                                 memory_text(*limit), memory_text(used))};
}

/// A line of /proc/self/limits and a column of /proc/self/statm, in pages. reserved: bytes that count as taken.
std::optional<AvailableMemory> of_ulimit(const std::string& root, std::string_view line_name, int column,
                                         std::string_view flag, int64_t reserved) {
  std::ifstream limits(root + "/proc/self/limits");
  std::optional<int64_t> limit;
  for (std::string line; !limit && std::getline(limits, line);) {
    if (!line.starts_with(line_name)) continue;
    std::string soft;
    std::istringstream(line.substr(line_name.size())) >> soft;
    limit = limit_in(soft);
  }
  if (!limit) return std::nullopt;
  std::ifstream statm(root + "/proc/self/statm");
  int64_t pages = 0;
  for (int i = 0; i <= column; ++i) statm >> pages;
  const int64_t used = pages * ::sysconf(_SC_PAGESIZE);
  std::string why = fmt::format("ulimit {}: {}, {} in use", flag, memory_text(*limit), memory_text(used));
  if (reserved > 0) why += fmt::format(", {} for threads", memory_text(reserved));
  return AvailableMemory{.bytes = std::max<int64_t>(0, *limit - used - reserved), .bound_by = std::move(why)};
}

}  // namespace

AvailableMemory available_memory(const std::string& root) {
  AvailableMemory least = of_system(root);
  const auto lower = [&](std::optional<AvailableMemory> other) {
    if (other && other->bytes < least.bytes) least = std::move(*other);
  };
  for (const Cgroup& group : cgroups_of("memory", root)) lower(of_group(group));
  lower(of_ulimit(root, "Max address space", 0, "-v", kThreadAddresses));
  lower(of_ulimit(root, "Max data size", 5, "-d", 0));
  return least;
}

bool addresses_are_limited() {
  rlimit limit = {};
  return ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

std::string memory_text(int64_t bytes) {
  constexpr double kMebibyte = 1 << 20;
  if (bytes < (1 << 20)) return fmt::format("{} KiB", bytes >> 10);
  const double mebibytes = static_cast<double>(bytes) / kMebibyte;
  if (mebibytes >= 1024) return fmt::format("{:.1f} GiB", mebibytes / 1024);
  return fmt::format("{:.{}f} MiB", mebibytes, mebibytes < 10 ? 1 : 0);
}

}  // namespace caravel
