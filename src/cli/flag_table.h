#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace caravel::cli {

/// The group of the flags that open an engine: they are many, and the same for most commands, so that --help leaves
/// them to --help-all.
inline constexpr const char* kEngineGroup = "Engine";

/// What --help, the completions and the man page say of a flag, or of a positional argument.
struct FlagRow {
  std::vector<std::string> names;    // "-p", "--prompt"; "MODEL" of a positional argument
  std::string value;                 // "N", "TEXT", "{auto,yes,no}"; empty: it takes none
  std::vector<std::string> choices;  // the values that there are, where they are few
  std::string help;                  // with its default, and what it goes with and what not
  std::string variable;              // of the environment, which gives it too
  bool is_positional = false;
  bool takes_path = false;  // its value may be a file's name
  bool repeats = false;
};

struct FlagGroup {
  std::string title;
  std::vector<FlagRow> rows;
};

/// The flags of one command as they were added, group by group; those of any command (--help, --log-level) are the
/// last. Hidden ones are left out. Call capture_defaults() before.
std::vector<FlagGroup> flag_groups(const CLI::App& command);

/// Notes each flag's default where it was not noted when the flag was added, unless it is a value that cannot be given.
/// Call it before the command line is parsed, which sets what defaults are read from.
void capture_defaults(CLI::App& program);

/// The options of a command, with those of its option groups.
std::vector<CLI::Option*> options_of(CLI::App& command);
std::vector<const CLI::Option*> options_of(const CLI::App& command);

/// "N", "TEXT", "{auto,yes,no}"; empty where it takes no value.
std::string value_name(const CLI::Option& option);

/// Gives `option` these values as the command line would, and checks them: throws CLI::ParseError. name: one of its
/// own, without dashes, of which one may switch on and another off.
void set_values(CLI::Option& option, const std::string& name, const std::vector<std::string>& values);

/// The commands of a command: its option groups are none, nor are hidden ones.
std::vector<const CLI::App*> commands_of(const CLI::App& command);

/// "caravel bench serve".
std::string command_line(const CLI::App& command);

/// "CARAVEL_MAX_TOKENS" of --max-tokens, "CARAVEL_MODEL" of MODEL. Empty: none, as of --help.
std::string variable_of(const CLI::Option& option);

}  // namespace caravel::cli
