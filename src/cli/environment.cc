#include "cli/environment.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "cli/flag_table.h"
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
