#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

namespace caravel::cli {

/// A command as the completions need it: its words behind "caravel" ("", "serve", "bench serve"), the commands and the
/// flags that may follow.
struct CompletedCommand {
  const CLI::App* app;
  const CLI::App* flags;  // whose may follow: its own, or those of the command that it is without another
  std::string words;

  /// "bench" of "bench serve".
  std::string before() const {
    return words.substr(0, words.size() - std::min(words.size(), app->get_name().size() + 1));
  }
};

/// The program and all its commands, hidden ones too: no command offers those, but who writes one wants its words.
std::vector<CompletedCommand> completed_commands(const CLI::App& program);

// The scripts that a shell reads: every command, flag and choice; files where a text is wanted; for MODEL the names
// that `caravel completion models` prints, and files.

std::string bash_completion(const CLI::App& program);
std::string zsh_completion(const CLI::App& program);
std::string fish_completion(const CLI::App& program);

}  // namespace caravel::cli
