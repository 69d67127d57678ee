#include "cli/serve_config.h"

#include <yaml-cpp/depthguard.h>
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
  if (const size_t dashes = name.find_first_not_of('-'); dashes > 0 && dashes != name.npos) {
    throw fail<UsageError>("{}: '{}': flags stand here without their dashes: '{}'", where, key, name.substr(dashes));
  }
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
  if (node.IsNull()) throw fail<UsageError>("'{}' has no value; write one behind the colon, or take the line out", key);
  if (node.IsScalar()) return {node.Scalar()};
  if (node.IsSequence() && std::ranges::all_of(node, is_scalar)) return node.as<std::vector<std::string>>();
  if (node.IsMap() && takes_json) return {to_json(node).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
  throw fail<UsageError>("'{}' must be a value{}", key, takes_json ? " or an object" : " or a list of values");
}

/// What the flag would refuse, though what was given elsewhere counts for more: throws CLI::ValidationError.
void check_values(CLI::Option& option, std::vector<std::string> values) {
  for (std::string& value : values) {
    try {
      for (int i = 0;; ++i) {
        if (const std::string problem = (*option.get_validator(i))(value); !problem.empty()) {
          throw CLI::ValidationError(option.get_name(), problem);
        }
      }
    } catch (const CLI::OptionNotFound&) {  // so many validators there are
    }
  }
}

/// The file's one document.
YAML::Node read_document(const std::string& path) {
  std::string text;
  try {
    text = read_file(path);
  } catch (const Error& error) {
    throw fail<UsageError>("--config: {}", error.what());
  }
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() > 1) {
      throw fail<UsageError>("{}: has {} documents; write all flags into one, without a line of '---' between them",
                             path, documents.size());
    }
    return documents.empty() ? YAML::Node() : documents.front();
  } catch (const YAML::DeepRecursion& error) {
    throw fail<UsageError>("{}:{}: is nested too deeply", path, std::max(error.mark.line, 0) + 1);
  } catch (const YAML::Exception& error) {
    if (error.msg.find("tab") != error.msg.npos) {
      throw fail<UsageError>("{}:{}: a tab begins the line; YAML is indented with spaces", path,
                             std::max(error.mark.line, 0) + 1);
    }
    throw fail<UsageError>("{}:{}: {}", path, std::max(error.mark.line, 0) + 1, error.msg);
  }
}

}  // namespace

void apply_config_file(CLI::App& command, const std::string& path) {
  const YAML::Node root = read_document(path);
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
    try {
      const std::vector<std::string> values = values_of(entry.second, option, key);
      if (is_on_command_line) {
        check_values(option, values);
      } else {
        set_values(option, with_hyphens(key), values);
      }
    } catch (const CLI::ParseError& error) {
      throw fail<UsageError>("{}: {}", where, usage_problem(command, error));
    } catch (const UsageError& error) {
      throw fail<UsageError>("{}: {}", where, error.what());
    }
  }
}

}  // namespace caravel::cli
