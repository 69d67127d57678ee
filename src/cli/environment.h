#pragma once

#include <CLI/CLI.hpp>
#include <utility>
#include <vector>

namespace caravel::cli {

/// Variables of the environment that give flags: CARAVEL_MAX_TOKENS what --max-tokens takes, CARAVEL_MODEL the MODEL. A
/// flag that is repeated takes a JSON list of texts, or one value. What the command line says counts for more, and a
/// variable is left out where the command line excludes it (CARAVEL_PROMPT beside --prompt-file); an empty one says
/// nothing.
class Environment {
 public:
  /// Before the command line is parsed: flags that it must have may come from a variable. `program` must outlive this.
  explicit Environment(CLI::App& program);

  /// When it is parsed: gives the named command, and the program, what is left open. Throws UsageError, which names the
  /// variable.
  void apply() const;

  /// Tells the variables that nearly have the name of one that gives a flag, of any command, or the name of another
  /// engine's flag: they say nothing.
  void warn_of_unknown() const;

 private:
  void expect_in(CLI::App& command);
  void apply_to(CLI::App& command) const;
  void check_requirements(CLI::App& command) const;

  CLI::App& program_;
  std::vector<CLI::Option*> required_;                             // which the parser now takes for optional
  std::vector<std::pair<CLI::Option*, CLI::Option*>> dependents_;  // and what they need, which it does not know of
};

}  // namespace caravel::cli
