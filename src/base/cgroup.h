#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace caravel {

/// A control group of Linux, by the folder that its limits are read from; it may lack any of the files.
struct Cgroup {
  enum class Version { kV1, kV2 };
  Version version = Version::kV2;
  std::string folder;
};

/// The groups that bound this process' use of `controller` ("memory", "cpu"), in both hierarchies where both are
/// mounted: its own first, then those around it as far as they can be seen. By /proc/self/cgroup and
/// /proc/self/mountinfo under `root`, which stands for "/" in tests; empty where there are none.
std::vector<Cgroup> cgroups_of(std::string_view controller, const std::string& root = "");

/// The first line of a group's file; nothing where there is no such file.
std::optional<std::string> cgroup_line(const Cgroup& group, std::string_view file);

/// Processors that the least of the groups' quotas grants, rounded up, at least 1; nothing without a quota.
std::optional<int> cgroup_processors(const std::string& root = "");

}  // namespace caravel
