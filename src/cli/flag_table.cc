#include "cli/flag_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string_view>

#include "base/numbers.h"

namespace caravel::cli {
namespace {

bool is_help(const CLI::Option& option) { return !option.get_configurable(); }  // and --version

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

/// "{a,b}" in what CLI11 makes of a type and its checks: "TEXT:{a,b}:POSITIVE".
std::string braced(const std::string& type) {
  const size_t begin = type.find('{');
  const size_t end = type.find('}', begin);
  return begin == type.npos || end == type.npos ? "" : type.substr(begin, end + 1 - begin);
}

std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string choices = braced(option.get_type_name());
  return choices.empty() ? std::vector<std::string>() : CLI::detail::split(choices.substr(1, choices.size() - 2), ',');
}

/// 33554432 as 32MiB.
std::string size_text(const std::string& bytes) {
  const auto count = parse_number<uint64_t>(bytes);
  if (!count || *count == 0) return bytes;
  uint64_t value = *count;
  size_t power = 0;
  constexpr std::string_view kUnits[] = {"", "KiB", "MiB", "GiB", "TiB"};
  while (value % 1024 == 0 && power + 1 < std::size(kUnits)) {
    value /= 1024;
    ++power;
  }
  return fmt::format("{}{}", value, kUnits[power]);
}

template <typename Options>
std::string names_of(const Options& options) {
  std::vector<std::string> names;
  for (const CLI::Option* option : options) names.push_back(option->get_name());
  std::ranges::sort(names);  // CLI11 keeps them by their addresses
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string help_of(const CLI::Option& option) {
  std::string help = option.get_description();
  const auto add = [&help](const std::string& note) { help += fmt::format("{}({})", help.empty() ? "" : " ", note); };
  if (option.get_required()) add("required");
  if (std::string text = option.get_default_str(); takes_value(option) && !text.empty()) {
    if (value_name(option) == "SIZE") text = size_text(text);
    add("default: " + text);
  }
  if (!option.get_needs().empty()) add("with " + names_of(option.get_needs()));
  if (!option.get_excludes().empty()) add("not with " + names_of(option.get_excludes()));
  return help;
}

FlagRow row_of(const CLI::Option& option) {
  FlagRow row = {.value = value_name(option),
                 .choices = choices_of(option),
                 .help = help_of(option),
                 .variable = variable_of(option),
                 .is_positional = option.get_positional()};
  if (row.is_positional) {
    row.names.push_back(option.get_name(true));
    return row;
  }
  for (const std::string& name : option.get_snames()) row.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) row.names.push_back("--" + name);
  row.takes_path = row.choices.empty() && option.get_type_name().starts_with("TEXT");
  row.repeats = option.get_expected_max() == CLI::detail::expected_max_vector_size;
  return row;
}

FlagGroup& group_called(std::vector<FlagGroup>& groups, const std::string& title) {
  const auto found = std::ranges::find(groups, title, &FlagGroup::title);
  if (found != groups.end()) return *found;
  return groups.emplace_back(FlagGroup{.title = title});
}

/// Whether the flag would take its default if it were given: 0 may stand for "no bound" inside alone.
bool may_be_given(CLI::Option& option, std::string value) {
  if (value.empty() || value.front() == '[' || value.front() == '{') return false;  // an empty list, or none
  if (value != "0") return true;
  try {
    for (int i = 0;; ++i) {
      if (!(*option.get_validator(i))(value).empty()) return false;
    }
  } catch (const CLI::OptionNotFound&) {  // so many validators there are
    return true;
  }
}

void capture_default(CLI::Option& option) {
  if (!takes_value(option) || !option.get_default_str().empty()) return;
  option.capture_default_str();
  if (!may_be_given(option, option.get_default_str())) option.default_str("");
}

template <typename App, typename Option>
std::vector<Option*> all_options(App& command) {
  std::vector<Option*> options = command.get_options();
  for (App* const group : command.get_subcommands([](const CLI::App* app) { return app->get_name().empty(); })) {
    const std::vector<Option*> inner = group->get_options();
    options.insert(options.end(), inner.begin(), inner.end());
  }
  return options;
}

/// Flags of any command: its help, and what the commands above it take.
FlagGroup general_group(const CLI::App& command) {
  FlagGroup group = {.title = "Of any command"};
  for (const CLI::Option* option : command.get_options()) {
    if (is_help(*option)) group.rows.push_back(row_of(*option));
  }
  for (const CLI::App* app = command.get_parent(); app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      if (!is_help(*option)) group.rows.push_back(row_of(*option));
    }
  }
  return group;
}

}  // namespace

std::vector<FlagGroup> flag_groups(const CLI::App& command) {
  std::vector<FlagGroup> groups;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty() || is_help(*option)) continue;
    const std::string title = option->get_group() == "Options" ? "Flags" : option->get_group();
    group_called(groups, option->get_positional() ? "Arguments" : title).rows.push_back(row_of(*option));
  }
  for (const CLI::App* inner : command.get_subcommands([](const CLI::App* app) { return app->get_name().empty(); })) {
    const char* const at_most = inner->get_require_option_max() == 1 ? ", one of" : "";
    FlagGroup& group = group_called(groups, inner->get_group() + at_most);
    for (const CLI::Option* option : inner->get_options()) {
      if (!is_help(*option)) group.rows.push_back(row_of(*option));  // it has a --help, as every command
    }
  }
  const auto comes_first = [](const FlagGroup& group) { return group.title == "Arguments"; };
  std::ranges::stable_partition(groups, comes_first);
  std::ranges::stable_partition(groups, [](const FlagGroup& group) { return group.title != kEngineGroup; });
  groups.push_back(general_group(command));
  return groups;
}

void capture_defaults(CLI::App& program) {
  for (CLI::Option* option : program.get_options()) capture_default(*option);
  for (CLI::App* command : program.get_subcommands({})) capture_defaults(*command);
}

std::vector<CLI::Option*> options_of(CLI::App& command) { return all_options<CLI::App, CLI::Option>(command); }

std::vector<const CLI::Option*> options_of(const CLI::App& command) {
  return all_options<const CLI::App, const CLI::Option>(command);
}

std::string value_name(const CLI::Option& option) {
  if (!takes_value(option)) return "";
  std::string type = option.get_type_name();
  if (const std::string choices = braced(type); !choices.empty()) return choices;
  if (type.find("SIZE") != type.npos) return "SIZE";
  for (const char* check : {":NONNEGATIVE", ":POSITIVE"}) {
    if (const size_t at = type.find(check); at != type.npos) type.resize(at);
  }
  if (type == "INT" || type == "UINT") return "N";
  if (type == "FLOAT") return "NUMBER";
  if (type == "[INT,INT]") return "N,N";
  return type;
}

void set_values(CLI::Option& option, const std::string& name, const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    option.add_result(takes_value(option) ? value : option.get_flag_value(name, value));
  }
  option.run_callback();
}

std::vector<const CLI::App*> commands_of(const CLI::App& command) {
  return command.get_subcommands(
      [](const CLI::App* app) { return !app->get_name().empty() && !app->get_group().empty(); });
}

std::string command_line(const CLI::App& command) {
  const CLI::App* const parent = command.get_parent();
  return parent == nullptr ? command.get_name() : command_line(*parent) + " " + command.get_name();
}

std::string variable_of(const CLI::Option& option) {
  if (is_help(option)) return "";
  std::string name = option.get_name(/*positional=*/!option.nonpositional());
  name.erase(0, name.find_first_not_of('-'));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return c == '-' ? '_' : std::toupper(c); });
  return "CARAVEL_" + name;
}

}  // namespace caravel::cli
