#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "cli/completion.h"
#include "cli/flag_table.h"
#include "cli/shell_quotes.h"

namespace caravel::cli {
namespace {

constexpr std::string_view kZshBegin = R"zsh(#compdef caravel
# zsh completion for caravel, as `caravel completion zsh` prints it

_caravel_models() {
  local -a names=(${(f)"$(${~words_of_caravel[1]} completion models 2>/dev/null)"})
  _alternative 'models:model:compadd -a names' 'files:file:_files'
}

)zsh";

constexpr std::string_view kZshEnd = R"zsh(if [[ $funcstack[1] == _caravel ]]; then
  _caravel "$@"
else
  compdef _caravel caravel
fi
)zsh";

/// For _arguments, in which these marks have a meaning.
std::string escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view("[]:\\").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string action(const FlagRow& row) {
  if (!row.choices.empty()) return fmt::format("({})", fmt::join(row.choices, " "));
  return row.takes_path ? "_files" : " ";
}

std::string flag_line(const FlagRow& row) {
  const std::string message = row.value.empty() ? "" : ":" + escaped(row.value) + ":" + action(row);
  const std::string others = row.repeats ? "*" : fmt::format("({})", fmt::join(row.names, " "));
  std::string lines;
  for (const std::string& name : row.names) {
    const std::string equals = name.starts_with("--") && !row.value.empty() ? "=" : "";
    lines += fmt::format(
        "    {}\n", in_shell_quotes(fmt::format("{}{}{}[{}]{}", others, name, equals, escaped(row.help), message)));
  }
  return lines;
}

/// "_caravel_bench_serve".
std::string function_of(const CompletedCommand& command) {
  std::string name = command.words.empty() ? "_caravel" : "_caravel " + command.words;
  std::ranges::replace(name, ' ', '_');
  return name;
}

std::string command_function(const CompletedCommand& command) {
  const std::vector<const CLI::App*> commands = commands_of(*command.app);
  std::string text = fmt::format("{}() {{\n  local -a flags=(\n", function_of(command));
  std::string argument;
  for (const FlagGroup& group : flag_groups(*command.flags)) {
    for (const FlagRow& row : group.rows) {
      if (!row.is_positional) {
        text += flag_line(row);
      } else if (row.choices.empty()) {
        argument = " '1:MODEL:_caravel_models'";
      } else {
        argument = fmt::format(" '1:{}:({})'", row.names.front(), fmt::join(row.choices, " "));
      }
    }
  }
  text += "  )\n";
  if (command.words.empty()) text += "  local -a words_of_caravel=($words)\n";
  if (commands.empty()) {
    return text + fmt::format("  _arguments -s $flags{}\n}}\n\n", argument);
  }
  text += "  local curcontext=$curcontext state state_descr line\n  typeset -A opt_args\n  local -a subcommands=(\n";
  for (const CLI::App* each : commands) {
    text += fmt::format("    {}\n", in_shell_quotes(each->get_name() + ":" + escaped(each->get_description())));
  }
  text +=
      "  )\n  _arguments -s -C $flags '1:command:->command' '*::argument:->argument'\n"
      "  case $state in\n    command) _describe command subcommands ;;\n    argument)\n      case $words[1] in\n";
  for (const CLI::App* each :
       command.app->get_subcommands([](const CLI::App* app) { return !app->get_name().empty(); })) {
    text += fmt::format("        {}) {}_{} ;;\n", each->get_name(), function_of(command), each->get_name());
  }
  return text + "      esac\n      ;;\n  esac\n}\n\n";
}

}  // namespace

std::string zsh_completion(const CLI::App& program) {
  std::string text(kZshBegin);
  for (const CompletedCommand& command : completed_commands(program)) text += command_function(command);
  text += kZshEnd;
  return text;
}

}  // namespace caravel::cli
