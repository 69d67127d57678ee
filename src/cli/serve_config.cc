#include "cli/serve_config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "cli/usage.h"

namespace caravel::cli {
namespace {

std::string with_hyphens(std::string name) {
  std::ranges::replace(name, '_', '-');
  return name;
}

CLI::Option& option_of(CLI::App& command, const std::string& key, const std::string& where) {
  const std::string name = with_hyphens(key);
  if (name == "model") return *command.get_option("MODEL");
  if (name == "config" || name == "help" || name == "log-level" || name == "version") {
    throw fail<UsageError>("{}: '{}' is given on the command line alone: --{}", where, key, name);
  }
  CLI::Option* option = command.get_option_no_throw("--" + name);
  if (option == nullptr) throw fail<UsageError>("{}: {}", where, unknown_flag(command, key));
  return *option;
}

/// name: one of the flag's, where one switches it on and another off.
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
    throw fail<UsageError>("{}:{}: {}", path, error.mark.line + 1, error.msg);
  }
  if (root.IsNull()) return;
  if (!root.IsMap()) throw fail<UsageError>("{}: give flags and their values, one a line, as in 'port: 8000'", path);
  std::set<const CLI::Option*> given;
  for (const auto& entry : root) {
    const std::string where = fmt::format("{}:{}", path, entry.first.Mark().line + 1);
    if (!entry.first.IsScalar()) throw fail<UsageError>("{}: a key is no flag's name", where);
    const auto key = entry.first.as<std::string>();
    CLI::Option& option = option_of(command, key, where);
    const bool is_on_command_line = option.count() > 0 && !given.contains(&option);
    if (!given.insert(&option).second) {
      throw fail<UsageError>("{}: '{}' stands in the file twice; give it once, with a list where it may be repeated",
                             where, key);
    }
    if (is_on_command_line) continue;
    std::vector<std::string> values;
    if (entry.second.IsScalar()) {
      values.push_back(entry.second.as<std::string>());
    } else if (entry.second.IsSequence() &&
               std::ranges::all_of(entry.second, [](const YAML::Node& item) { return item.IsScalar(); })) {
      values = entry.second.as<std::vector<std::string>>();
    } else {
      throw fail<UsageError>("{}: '{}' must be a value or a list of values", where, key);
    }
    try {
      give(option, with_hyphens(key), values);
    } catch (const CLI::ParseError& error) {
      throw fail<UsageError>("{}: {}", where, usage_problem(command, error));
    }
  }
}

}  // namespace caravel::cli
