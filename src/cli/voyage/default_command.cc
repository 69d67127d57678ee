#include "cli/voyage/default_command.h"

#include <algorithm>

#include "base/near_miss.h"
#include "cli/flag_table.h"

namespace caravel::cli {
namespace {

constexpr const char* kVoyage = "voyage";
constexpr const char* kRun = "run";

}  // namespace

std::vector<std::string> with_voyage_run(const CLI::App& program, std::vector<std::string> arguments) {
  std::vector<std::string> names;
  for (const CLI::App* const command : commands_of(program)) names.push_back(command->get_name());
  const auto first = std::ranges::find_first_of(arguments, names);
  if (first == arguments.end() || *first != kVoyage) return arguments;
  std::vector<std::string> inner;
  for (const CLI::App* const command : commands_of(*program.get_subcommand(kVoyage))) {
    inner.push_back(command->get_name());
  }
  const auto next = first + 1;
  if (next != arguments.end()) {
    constexpr const char* kHelp[] = {"-h", "--help", "--help-all"};
    if (std::ranges::find(kHelp, *next) != std::end(kHelp)) return arguments;
    if (std::ranges::find(inner, *next) != inner.end()) return arguments;
    if (!next->starts_with('-') && !near_miss(*next, inner).empty()) return arguments;
  }
  arguments.insert(next, kRun);
  return arguments;
}

const CLI::App& default_command(const CLI::App& command) {
  return command.get_name() == kVoyage ? *command.get_subcommand(kRun) : command;
}

}  // namespace caravel::cli
