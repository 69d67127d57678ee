#include "cli/serve_config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace caravel::cli {
namespace {

/// Insertions, deletions and replacements between two names.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string nearest_flag(const CLI::App& command, const std::string& name) {
  std::string nearest;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& flag : option->get_lnames()) {
      if (nearest.empty() || distance(flag, name) < distance(nearest, name)) nearest = flag;
    }
  }
  return nearest;
}

CLI::Option& option_of(CLI::App& command, const std::string& name, const std::string& where) {
  if (name == "model") return *command.get_option("MODEL");
  CLI::Option* option = name == "config" || name == "help" ? nullptr : command.get_option_no_throw("--" + name);
  if (option == nullptr) {
    throw fail<InvalidArgument>("{}: no flag is called '{}'; the nearest is '{}'", where, name,
                                nearest_flag(command, name));
  }
  return *option;
}

void give(CLI::Option& option, const std::string& name, const std::vector<std::string>& values) {
  const bool is_flag = option.get_expected_min() == 0;
  for (const std::string& value : values) {
    option.add_result(is_flag ? option.get_flag_value(name, value) : value);
  }
  option.run_callback();
}

}  // namespace

void apply_config_file(CLI::App& command, const std::string& path) {
  YAML::Node root;
  try {
    root = YAML::Load(read_file(path));
  } catch (const YAML::Exception& error) {
    throw fail<FormatError>("{}:{}: {}", path, error.mark.line + 1, error.msg);
  }
  if (root.IsNull()) return;
  if (!root.IsMap())
    throw fail<InvalidArgument>("{}: give flags and their values, one a line, as in 'port: 8000'", path);
  for (const auto& entry : root) {
    const std::string where = fmt::format("{}:{}", path, entry.first.Mark().line + 1);
    if (!entry.first.IsScalar()) throw fail<InvalidArgument>("{}: a key is no flag's name", where);
    auto name = entry.first.as<std::string>();
    std::ranges::replace(name, '_', '-');
    CLI::Option& option = option_of(command, name, where);
    if (option.count() > 0) continue;
    std::vector<std::string> values;
    if (entry.second.IsScalar()) {
      values.push_back(entry.second.as<std::string>());
    } else if (entry.second.IsSequence() &&
               std::ranges::all_of(entry.second, [](const YAML::Node& item) { return item.IsScalar(); })) {
      values = entry.second.as<std::vector<std::string>>();
    } else {
      throw fail<InvalidArgument>("{}: '{}' must be a value or a list of values", where, name);
    }
    give(option, name, values);
  }
}

}  // namespace caravel::cli
