#include "cli/help_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "cli/flag_table.h"

namespace caravel::cli {
namespace {

constexpr size_t kColumn = 30;  // where descriptions begin

/// Columns of the terminal, between what can be read and what is pleasant to read.
size_t text_width() {
  winsize size = {};
  const bool is_terminal = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return std::clamp<size_t>(is_terminal ? size.ws_col : 100, 60, 120);
}

/// `text` in lines of `width`, each after the first behind `indent` spaces. `used`: columns of the first that are
/// taken.
std::string wrapped(std::string_view text, size_t indent, size_t used, size_t width) {
  std::string lines;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (used > indent && used + 1 + word.size() > width) {
      lines += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (used > indent) {
      lines += " ";
      ++used;
    }
    lines += word;
    used += word.size();
  }
  return lines;
}

std::string row_text(const std::string& left, const std::string& help, size_t width) {
  std::string text = "  " + left;
  if (text.size() + 2 > kColumn) {
    text += "\n" + std::string(kColumn, ' ');
  } else {
    text.resize(kColumn, ' ');
  }
  return text + wrapped(help, kColumn, kColumn, width) + "\n";
}

std::string flag_text(const FlagRow& row, bool all, size_t width) {
  std::string left = fmt::format("{}", fmt::join(row.names, ", "));
  std::string help = row.help;
  std::string value = row.value;
  if (left.size() + value.size() + 3 > width && !row.choices.empty()) {  // more choices than a line holds
    value = "NAME";
    help += fmt::format(". One of {}", fmt::join(row.choices, ", "));
  }
  if (!row.is_positional || !row.choices.empty()) left += (value.empty() ? "" : " ") + value;
  if (row.repeats) left += " ...";
  if (all && !row.variable.empty()) help += " [" + row.variable + "]";
  return row_text(left, help, width);
}

std::string usage(const CLI::App& command) {
  std::string text = fmt::format("Usage: {}", command_line(command));
  if (!commands_of(command).empty()) return text + " COMMAND [FLAGS]\n";
  text += " [FLAGS]";
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = option->get_name(true);
    text += " " + (option->get_required() ? name : "[" + name + "]");
  }
  return text + "\n";
}

bool has_engine_flags(const std::vector<FlagGroup>& groups) {
  return std::ranges::find(groups, kEngineGroup, &FlagGroup::title) != groups.end();
}

std::string command_help(const CLI::App& command, bool all) {
  const size_t width = text_width();
  std::string text = wrapped(command.get_description(), 0, 0, width) + "\n\n" + usage(command);
  const std::vector<const CLI::App*> commands = commands_of(command);
  if (!commands.empty()) text += "\nCommands:\n";
  for (const CLI::App* each : commands) text += row_text(each->get_name(), each->get_description(), width);
  const std::vector<FlagGroup> groups = flag_groups(command);
  for (const FlagGroup& group : groups) {
    if (group.title == kEngineGroup && !all) continue;
    text += "\n" + group.title + ":\n";
    for (const FlagRow& row : group.rows) text += flag_text(row, all, width);
  }
  std::string more = commands.empty() ? "" : command_line(command) + " COMMAND --help describes one. ";
  if (has_engine_flags(groups) && !all) {
    more +=
        "--help-all lists the engine's flags too (threads, memory, context, scheduling), and the variable of each. ";
  }
  if (command.get_parent() == nullptr) {
    more += "caravel completion bash, zsh or fish prints completions for a shell, caravel man the manual page. ";
  }
  more +=
      "Every flag may be given by a variable of the environment, such as CARAVEL_MAX_TOKENS for --max-tokens; the "
      "command line counts for more.";
  return text + "\n" + wrapped(more, 0, 0, width) + "\n" + wrapped(command.get_footer(), 0, 0, width) + "\n";
}

std::string help_of_all(const CLI::App& command) {
  std::string text = command_help(command, /*all=*/true);
  for (const CLI::App* each : commands_of(command)) text += "\n\n" + help_of_all(*each);
  return text;
}

}  // namespace

std::string HelpText::make_help(const CLI::App* command, std::string /*name*/, CLI::AppFormatMode mode) const {
  return mode == CLI::AppFormatMode::All ? help_of_all(*command) : command_help(*command, /*all=*/false);
}

}  // namespace caravel::cli
