#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace caravel::cli {

/// What --help and --help-all print, made for the width of the terminal. --help leaves out the engine's flags, and the
/// variables of the environment; --help-all of the program is that of each command, one after the other.
class HelpText : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* command, std::string name, CLI::AppFormatMode mode) const override;
};

}  // namespace caravel::cli
