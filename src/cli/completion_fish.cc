#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>

#include "cli/completion.h"
#include "cli/flag_table.h"

namespace caravel::cli {
namespace {

/// In single quotes, for fish.
std::string in_fish_quotes(std::string_view text) {
  std::string line = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') line += '\\';
    line += c;
  }
  return line + "'";
}

std::string flag_line(const std::string& begin, const FlagRow& row) {
  std::string line = begin;
  for (const std::string& name : row.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!row.choices.empty()) {
    line += fmt::format(" -x -a {}", in_fish_quotes(fmt::format("{}", fmt::join(row.choices, " "))));
  } else if (!row.value.empty()) {
    line += row.takes_path ? " -r -F" : " -x";
  }
  return line + " -d " + in_fish_quotes(row.help) + "\n";
}

/// Whether the words before the cursor name this command; and the models that there are.
std::string functions(const std::vector<CompletedCommand>& commands) {
  std::string text =
      "function __caravel_command\n  set -l command ''\n  for word in (commandline -opc)[2..]\n"
      "    switch \"$command,$word\"\n";
  for (const CompletedCommand& command : commands) {
    if (command.words.empty()) continue;
    text += fmt::format("      case '{},{}'\n        set command '{}'\n", command.before(), command.app->get_name(),
                        command.words);
  }
  return text +
         "    end\n  end\n  test \"$command\" = \"$argv\"\nend\n\n"
         "function __caravel_models\n  set -l words (commandline -opc)\n"
         "  $words[1] completion models 2>/dev/null\nend\n\n";
}

}  // namespace

std::string fish_completion(const CLI::App& program) {
  const std::vector<CompletedCommand> commands = completed_commands(program);
  std::string text = "# fish completion for caravel, as `caravel completion fish` prints it\n" + functions(commands) +
                     "complete -c caravel -f\n";
  for (const CompletedCommand& command : commands) {
    const std::string begin = fmt::format("complete -c caravel -n '__caravel_command {}'", command.words);
    for (const CLI::App* each : commands_of(*command.app)) {
      text += fmt::format("{} -a {} -d {}\n", begin, each->get_name(), in_fish_quotes(each->get_description()));
    }
    for (const FlagGroup& group : flag_groups(*command.flags)) {
      for (const FlagRow& row : group.rows) {
        if (!row.is_positional) {
          text += flag_line(begin, row);
          continue;
        }
        text += begin + (row.choices.empty() ? " -F -a '(__caravel_models)' -d model\n"
                                             : fmt::format(" -a '{}'\n", fmt::join(row.choices, " ")));
      }
    }
  }
  return text;
}

}  // namespace caravel::cli
