#include "cli/serve_config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "cli/flag_table.h"
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
  if (name == "config" || name.starts_with("help") || name == "log-level" || name == "version") {
    throw fail<UsageError>("{}: '{}' is given on the command line alone: --{}", where, key, name);
  }
  CLI::Option* option = command.get_option_no_throw("--" + name);
  if (option == nullptr) throw fail<UsageError>("{}: {}", where, unknown_flag(command, key));
  return *option;
}

/// A scalar without quotes is a number, true, false or null where JSON has it so.
nlohmann::ordered_json to_json(const YAML::Node& node) {
  nlohmann::ordered_json json;
  if (node.IsMap()) {
    json = nlohmann::ordered_json::object();
    for (const auto& entry : node) json[entry.first.as<std::string>()] = to_json(entry.second);
  } else if (node.IsSequence()) {
    json = nlohmann::ordered_json::array();
    for (const YAML::Node& item : node) json.push_back(to_json(item));
  } else if (node.IsScalar()) {
    const bool is_quoted = node.Tag() == "!";
    if (!is_quoted) json = nlohmann::ordered_json::parse(node.Scalar(), nullptr, /*allow_exceptions=*/false);
    if (is_quoted || json.is_discarded()) json = node.Scalar();
  }
  return json;
}

std::vector<std::string> values_of(const YAML::Node& node, const CLI::Option& option, const std::string& key) {
  const auto is_scalar = [](const YAML::Node& item) { return item.IsScalar(); };
  const bool takes_json = value_name(option) == "JSON";
  if (node.IsScalar()) return {node.Scalar()};
  if (node.IsSequence() && std::ranges::all_of(node, is_scalar)) return node.as<std::vector<std::string>>();
  if (node.IsMap() && takes_json) return {to_json(node).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
  throw fail<UsageError>("'{}' must be a value{}", key, takes_json ? " or an object" : " or a list of values");
}

}  // namespace

void apply_config_file(CLI::App& command, const std::string& path) {
  YAML::Node root;
  try {
    root = YAML::Load(read_file(path));
  } catch (const YAML::Exception& error) {
    throw fail<UsageError>("{}:{}: {}", path, std::max(error.mark.line, 0) + 1, error.msg);
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
    try {
      set_values(option, with_hyphens(key), values_of(entry.second, option, key));
    } catch (const CLI::ParseError& error) {
      throw fail<UsageError>("{}: {}", where, usage_problem(command, error));
    } catch (const UsageError& error) {
      throw fail<UsageError>("{}: {}", where, error.what());
    }
  }
}

}  // namespace caravel::cli
