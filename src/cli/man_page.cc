#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/flag_table.h"
#include "cli/output_file.h"

namespace caravel::cli {
namespace {

/// In roff a backslash escapes, a plain hyphen may be set as a dash, and a dot or quote at a line's begin is a request.
/// A line may end behind a comma: a list of choices may be longer than a line.
std::string roff(std::string_view text) {
  std::string roff;
  if (text.starts_with('.') || text.starts_with('\'')) roff += "\\&";
  for (const char c : text) {
    if (c == '\\') {
      roff += "\\e";
    } else if (c == '-') {
      roff += "\\-";
    } else {
      roff += c;
      if (c == ',') roff += "\\:";
    }
  }
  return roff;
}

std::string section(std::string_view title) { return fmt::format(".SH {}\n", roff(title)); }

std::string entry(const std::string& term, std::string_view text) {
  return fmt::format(".TP\n{}\n{}\n", term, roff(text));
}

std::string flag_entry(const FlagRow& row) {
  std::vector<std::string> names;
  for (const std::string& name : row.names) names.push_back("\\fB" + roff(name) + "\\fR");
  std::string term = fmt::format("{}", fmt::join(names, ", "));
  if (!row.is_positional && !row.value.empty()) term += " \\fI" + roff(row.value) + "\\fR";
  if (row.repeats) term += " ...";
  return entry(term, row.help + (row.variable.empty() ? "" : " [" + row.variable + "]"));
}

bool is_general(const FlagGroup& group, const std::vector<FlagGroup>& groups) { return &group == &groups.back(); }

/// What the command alone has; the engine's flags and those of any command stand once, at the end.
std::string command_section(const CompletedCommand& command) {
  std::string text = fmt::format(".SS caravel {}\n{}\n", roff(command.words), roff(command.app->get_description()));
  const std::vector<FlagGroup> groups = flag_groups(*command.app);
  for (const FlagGroup& group : groups) {
    if (group.title == kEngineGroup) {
      text += ".P\nThe engine's flags, below, are its flags too.\n";
    } else if (!is_general(group, groups)) {
      text += fmt::format(".P\n\\fI{}\\fR\n", roff(group.title));
      for (const FlagRow& row : group.rows) text += flag_entry(row);
    }
  }
  return text;
}

/// Rows of that kind of all commands, each name once.
template <typename Is>
std::string shared_flags(const std::vector<CompletedCommand>& commands, const Is& is_shared) {
  std::string text;
  std::vector<std::string> seen;
  for (const CompletedCommand& command : commands) {
    const std::vector<FlagGroup> groups = flag_groups(*command.app);
    for (const FlagGroup& group : groups) {
      if (!is_shared(group, groups)) continue;
      for (const FlagRow& row : group.rows) {
        if (std::ranges::find(seen, row.names.back()) != seen.end()) continue;
        seen.push_back(row.names.back());
        text += flag_entry(row);
      }
    }
  }
  return text;
}

std::string man_page(const CLI::App& program) {
  std::vector<CompletedCommand> commands = completed_commands(program);
  std::erase_if(commands, [](const CompletedCommand& command) { return command.app->get_group().empty(); });
  std::string text = fmt::format(".TH CARAVEL 1 \"\" \"caravel {}\" \"User Commands\"\n", CARAVEL_VERSION);
  text += section("NAME") + "caravel \\- run and serve large language models\n";
  text += section("SYNOPSIS");
  for (const CompletedCommand& command : commands) {
    if (!commands_of(*command.app).empty()) continue;
    const std::vector<FlagGroup> groups = flag_groups(*command.app);
    const bool has_argument = groups.front().rows.front().is_positional;
    text += fmt::format("{}\\fBcaravel {}\\fR [\\fIFLAGS\\fR]{}\n", text.ends_with(".SH SYNOPSIS\n") ? "" : ".br\n",
                        roff(command.words), has_argument ? " [\\fIMODEL\\fR]" : "");
  }
  text += section("DESCRIPTION") + roff(program.get_description()) + "\n.P\n" +
          "MODEL is a .gguf file, a Hugging Face folder, \\fIorg/name\\fR from the Hub's local cache, or a name in the "
          "cache of models that were fetched; \\fBcaravel completion models\\fR prints those that there are.\n";
  text += section("COMMANDS");
  for (const CompletedCommand& command : commands) {
    if (!command.words.empty()) text += command_section(command);
  }
  const auto is_engine = [](const FlagGroup& group, const auto&) { return group.title == kEngineGroup; };
  text += section("ENGINE FLAGS") + shared_flags(commands, is_engine);
  text += section("FLAGS OF ANY COMMAND") + shared_flags(commands, is_general);
  text += section("ENVIRONMENT") +
          "Each flag may be given by the variable that stands behind it in brackets; the command line counts for more, "
          "and a file of \\fB\\-\\-config\\fR for less. A flag without a value takes true or false, one that may be "
          "repeated one value, or a JSON list of texts.\n" +
          entry("\\fBCARAVEL_API_KEY\\fR", "A key that serve asks for beside those of --api-key.") +
          entry("\\fBCARAVEL_CACHE\\fR", "Where models that were fetched are; by default ~/.cache/caravel.") +
          entry("\\fBHF_HUB_CACHE\\fR, \\fBHF_HOME\\fR",
                "Where the Hub's models are: HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub.");
  text += section("EXIT STATUS") + roff(program.get_footer()) + "\n";
  return text;
}

}  // namespace

void add_man_page(CLI::App& program) {
  CLI::App& command = *program.add_subcommand("man", "The manual page, for man -l -")->group("");
  command.callback([&program] { OutputFile("-").write(man_page(program)); });
}

}  // namespace caravel::cli
