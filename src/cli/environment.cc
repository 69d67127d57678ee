#include "cli/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/near_miss.h"
#include "cli/flag_table.h"
#include "cli/hints.h"
#include "cli/usage.h"

namespace caravel::cli {
namespace {

bool repeats(const CLI::Option& option) { return option.get_expected_max() == CLI::detail::expected_max_vector_size; }

/// Empty: the environment does not say it.
std::string value_in_environment(const CLI::Option& option) {
  const std::string name = variable_of(option);
  // `serve` reads it by itself: a key beside those of --api-key, not in their place.
  if (name.empty() || (name == "CARAVEL_API_KEY" && repeats(option))) return "";
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return "";
  // What Kubernetes and Docker tell of a service that is called caravel.
  if (name == "CARAVEL_PORT" && std::string_view(value).starts_with("tcp://")) return "";
  return value;
}

/// ["a", "b"] for a flag that may be repeated; anything else is one value.
std::vector<std::string> values_of(const CLI::Option& option, const std::string& text) {
  if (repeats(option) && text.starts_with('[')) {
    const auto list = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (list.is_array() && std::ranges::all_of(list, [](const auto& item) { return item.is_string(); })) {
      return list.get<std::vector<std::string>>();
    }
  }
  return {text};
}

/// The flags that cannot stand beside `option`.
std::set<CLI::Option*> rivals_of(CLI::App& command, CLI::Option& option) {
  std::set<CLI::Option*> rivals = option.get_excludes();
  for (CLI::App* group : command.get_subcommands([](const CLI::App* app) { return app->get_name().empty(); })) {
    const std::vector<CLI::Option*> forms = group->get_options();
    if (group->get_require_option_max() != 1 || std::ranges::find(forms, &option) == forms.end()) continue;
    rivals.insert(forms.begin(), forms.end());
  }
  rivals.erase(&option);
  return rivals;
}

constexpr std::string_view kPrefix = "CARAVEL_";

/// The variables of all flags, without what they all begin with.
void add_variables(CLI::App& command, std::vector<std::string>& names) {
  for (const CLI::Option* option : options_of(command)) {
    if (const std::string name = variable_of(*option); !name.empty()) names.push_back(name.substr(kPrefix.size()));
  }
  for (CLI::App* inner : command.get_subcommands([](const CLI::App* app) { return !app->get_name().empty(); })) {
    add_variables(*inner, names);
  }
}

/// "MAX_TOKENS" of "CARAVEL_MAX_TOKENS=9"; empty: another program's. What Kubernetes and Docker tell of a service that
/// is called caravel is theirs.
std::string name_in(std::string_view entry) {
  std::string_view name = entry.substr(0, entry.find('='));
  if (!name.starts_with(kPrefix)) return "";
  name.remove_prefix(kPrefix.size());
  return name.starts_with("SERVICE_") || name.starts_with("PORT_") ? "" : std::string(name);
}

}  // namespace

Environment::Environment(CLI::App& program) : program_(program) { expect_in(program); }

void Environment::expect_in(CLI::App& command) {
  const std::vector<CLI::Option*> options = options_of(command);
  for (CLI::Option* option : options) {
    if (value_in_environment(*option).empty()) continue;
    if (option->get_required()) required_.push_back(option);
    option->required(false);
    for (CLI::Option* other : options) {
      if (other->remove_needs(option)) dependents_.emplace_back(other, option);
    }
  }
  for (CLI::App* inner : command.get_subcommands([](const CLI::App* app) { return !app->get_name().empty(); })) {
    expect_in(*inner);
  }
}

void Environment::apply() const {
  for (CLI::App* command = &named_command(program_); command != nullptr; command = command->get_parent()) {
    apply_to(*command);
    check_requirements(*command);
  }
}

void Environment::warn_of_unknown() const {
  std::vector<std::string> known = {"API_KEY", "CACHE", "WORLDS"};
  add_variables(program_, known);
  std::ranges::sort(known);
  known.erase(std::unique(known.begin(), known.end()), known.end());
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string name = name_in(*entry);
    if (name.empty() || std::ranges::find(known, name) != known.end()) continue;
    std::string flag = name;
    std::ranges::transform(flag, flag.begin(), [](unsigned char c) { return c == '_' ? '-' : std::tolower(c); });
    const std::string near = near_miss(name, known);
    const Hint* const hint = flag_hint(flag);
    if (!near.empty()) {
      log::warn("the variable {}{} says nothing; the nearest that does is {}{}", kPrefix, name, kPrefix, near);
    } else if (hint != nullptr) {
      log::warn("the variable {}{} says nothing: no flag is called --{}{}{}", kPrefix, name, flag,
                hint->use.empty() ? ": " : "; use " + std::string(hint->use), hint->note);
    }
  }
}

void Environment::apply_to(CLI::App& command) const {
  std::set<CLI::Option*> given;
  for (CLI::Option* option : options_of(command)) {
    const std::string value = value_in_environment(*option);
    if (option->count() > 0 || value.empty()) continue;
    const std::string name = variable_of(*option);
    bool is_excluded = false;
    for (CLI::Option* rival : rivals_of(command, *option)) {
      is_excluded = is_excluded || rival->count() > 0;
      if (given.contains(rival)) {
        throw fail<UsageError>("{} and {} of the environment cannot be set together", variable_of(*rival), name);
      }
    }
    std::set<CLI::Option*> needs = option->get_needs();
    for (const auto& [dependent, needed] : dependents_) {
      if (dependent == option) needs.insert(needed);
    }
    const auto is_missing = [](const CLI::Option* needed) { return needed->count() == 0; };
    if (is_excluded || std::ranges::any_of(needs, is_missing)) continue;
    try {
      set_values(*option, option->get_single_name(), values_of(*option, value));
    } catch (const CLI::ParseError& error) {
      throw fail<UsageError>("{} of the environment: {}", name, usage_problem(program_, error));
    } catch (const UsageError& error) {
      throw fail<UsageError>("{} of the environment: {}", name, error.what());
    }
    given.insert(option);
  }
}

void Environment::check_requirements(CLI::App& command) const {
  for (CLI::Option* option : options_of(command)) {
    if (option->count() == 0 && std::ranges::find(required_, option) != required_.end()) {
      throw fail<UsageError>("{} is required", option->get_name());
    }
    for (const auto& [dependent, needed] : dependents_) {
      if (dependent == option && option->count() > 0 && needed->count() == 0) {
        throw fail<UsageError>("{} requires {}", option->get_name(), needed->get_name());
      }
    }
  }
}

}  // namespace caravel::cli
