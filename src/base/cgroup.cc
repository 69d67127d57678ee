#include "base/cgroup.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/numbers.h"

namespace caravel {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

/// mountinfo writes blanks, line breaks and backslashes in names as three octal digits.
std::string unescaped(const std::string& name) {
  std::string text;
  for (size_t i = 0; i < name.size(); ++i) {
    const auto code =
        name[i] == '\\' ? parse_number<uint8_t>(std::string_view(name).substr(i + 1, 3), 8) : std::nullopt;
    text += code ? static_cast<char>(*code) : name[i];
    if (code) i += 3;
  }
  return text;
}

/// Where a hierarchy can be seen, and which of its groups the mount shows as its uppermost.
struct Mount {
  std::string root;
  std::string folder;
};

std::optional<Mount> find_mount(Cgroup::Version version, std::string_view controller, const std::string& root) {
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    // id parent device root folder options [tags...] - type source options
    const std::vector<std::string> fields = split(line, ' ');
    const auto dash = std::ranges::find(fields, "-");
    if (fields.size() < 5 || fields.end() - dash < 4) continue;
    if (dash[1] != (version == Cgroup::Version::kV1 ? "cgroup" : "cgroup2")) continue;
    const std::vector<std::string> options = split(dash[3], ',');
    if (version == Cgroup::Version::kV1 && std::ranges::find(options, controller) == options.end()) continue;
    return Mount{.root = unescaped(fields[3]), .folder = root + unescaped(fields[4])};
  }
  return std::nullopt;
}

/// This process' group in the hierarchy, as the kernel names it.
std::optional<std::string> find_group(Cgroup::Version version, std::string_view controller, const std::string& root) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    // number:controllers:path; the second version has no controllers. A path may hold colons.
    const size_t first = line.find(':');
    const size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::vector<std::string> controllers = split(line.substr(first + 1, second - first - 1), ',');
    const bool found = version == Cgroup::Version::kV1 ? std::ranges::find(controllers, controller) != controllers.end()
                                                       : line.starts_with("0::");
    if (found) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// The group's path below the mount. What lies outside of it (a container that sees its own group alone, under another
/// name) is taken for the mount itself.
std::string below_mount(const std::string& group, const std::string& mount_root) {
  const std::string above = mount_root == "/" ? "" : mount_root;
  if (!group.starts_with(above + "/") || group.find("/..") != group.npos) return "";
  return group == "/" ? "" : group.substr(above.size());
}

std::optional<double> processors_of(const Cgroup& group) {
  std::optional<double> quota;
  std::optional<double> period;
  if (group.version == Cgroup::Version::kV2) {
    const std::vector<std::string> words = split(cgroup_line(group, "cpu.max").value_or(""), ' ');
    if (words.size() != 2) return std::nullopt;
    quota = parse_number<double>(words[0]);  // or "max"
    period = parse_number<double>(words[1]);
  } else {
    quota = parse_number<double>(cgroup_line(group, "cpu.cfs_quota_us").value_or(""));  // -1: none
    period = parse_number<double>(cgroup_line(group, "cpu.cfs_period_us").value_or(""));
  }
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return *quota / *period;
}

}  // namespace

std::vector<Cgroup> cgroups_of(std::string_view controller, const std::string& root) {
  std::vector<Cgroup> groups;
  for (const Cgroup::Version version : {Cgroup::Version::kV1, Cgroup::Version::kV2}) {
    const std::optional<Mount> mount = find_mount(version, controller, root);
    const std::optional<std::string> group = find_group(version, controller, root);
    if (!mount || !group) continue;
    std::string path = below_mount(*group, mount->root);
    for (; !path.empty(); path.resize(path.rfind('/'))) groups.push_back({version, mount->folder + path});
    groups.push_back({version, mount->folder});
  }
  return groups;
}

std::optional<std::string> cgroup_line(const Cgroup& group, std::string_view file) {
  std::ifstream stream(group.folder + "/" + std::string(file));
  std::string line;
  return std::getline(stream, line) ? std::optional(line) : std::nullopt;
}

std::optional<int> cgroup_processors(const std::string& root) {
  std::optional<double> least;
  for (const Cgroup& group : cgroups_of("cpu", root)) {
    const std::optional<double> processors = processors_of(group);
    if (processors && (!least || *processors < *least)) least = processors;
  }
  if (!least) return std::nullopt;
  const double rounded = std::min(*least, 1e6);
  const auto whole = static_cast<int>(rounded);
  return std::max(1, whole + (rounded > whole ? 1 : 0));
}

}  // namespace caravel
