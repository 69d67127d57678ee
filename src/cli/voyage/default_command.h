#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace caravel::cli {

/// The command line with `run` behind `voyage` where no command stands there: "voyage --out a" is "voyage run --out a".
/// What is nearly the name of a command stays, to be told as such, and so does a call for help.
std::vector<std::string> with_voyage_run(const CLI::App& program, std::vector<std::string> arguments);

/// What a command is where no other stands behind it: of `voyage`, `run`; itself, of all others.
const CLI::App& default_command(const CLI::App& command);

}  // namespace caravel::cli
