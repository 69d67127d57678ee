#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>

#include "cli/completion.h"
#include "cli/flag_table.h"

namespace caravel::cli {
namespace {

// "=" is a word of its own in COMP_WORDS, so `--isa=a` arrives as three.
constexpr std::string_view kBashBegin = R"bash(# bash completion for caravel, as `caravel completion bash` prints it
_caravel() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]/#\~/$HOME}
  if [[ $current == = ]]; then
    current=
  elif [[ $before == = && COMP_CWORD -ge 2 ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  local command= word commands= flags= choices= takes=
  for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
    case "$command,$word" in
)bash";

constexpr std::string_view kBashEnd = R"bash(  esac
  if [[ -n $choices ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
  elif [[ $takes == value ]]; then
    COMPREPLY=()
  elif [[ $takes == path ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current")
  elif [[ -n $commands ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
  elif [[ $takes == model ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(
      compgen -W "$("$program" completion models 2>/dev/null)" -- "$current"
      compgen -f -- "$current"
    )
  fi
}
complete -F _caravel caravel
)bash";

std::string command_case(const CompletedCommand& command) {
  std::string flags;
  std::string cases;
  std::string takes;
  for (const FlagGroup& group : flag_groups(*command.flags)) {
    for (const FlagRow& row : group.rows) {
      if (row.is_positional) {
        takes = row.choices.empty() ? " takes=model" : fmt::format(" choices='{}'", fmt::join(row.choices, " "));
        continue;
      }
      flags += fmt::format("{}{}", flags.empty() ? "" : " ", fmt::join(row.names, " "));
      if (row.value.empty()) continue;
      const std::string what = row.choices.empty() ? std::string("takes=") + (row.takes_path ? "path" : "value")
                                                   : fmt::format("choices='{}'", fmt::join(row.choices, " "));
      cases += fmt::format("        {}) {} ;;\n", fmt::join(row.names, " | "), what);
    }
  }
  std::vector<std::string> commands;
  for (const CLI::App* each : commands_of(*command.app)) commands.push_back(each->get_name());
  return fmt::format(
      "    '{}')\n      commands='{}'{}\n      flags='{}'\n      case $before in\n{}      esac\n      ;;\n",
      command.words, fmt::join(commands, " "), takes, flags, cases);
}

}  // namespace

std::string bash_completion(const CLI::App& program) {
  std::string text(kBashBegin);
  for (const CompletedCommand& command : completed_commands(program)) {
    if (command.words.empty()) continue;
    text += fmt::format("      '{},{}') command='{}' ;;\n", command.before(), command.app->get_name(), command.words);
  }
  text += "    esac\n  done\n  case $command in\n";
  for (const CompletedCommand& command : completed_commands(program)) text += command_case(command);
  text += kBashEnd;
  return text;
}

}  // namespace caravel::cli
