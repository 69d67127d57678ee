#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/voyage/model_settings.h"
#include "voyager/agent.h"

namespace caravel::cli {

/// What `caravel voyage` is told.
struct VoyageOptions {
  std::string out = "voyage";
  std::string world = "mini";
  std::optional<double> clock;  // of the world
  bool resume = false;
  std::string replay;  // another run's folder; empty: none
  bool plain = false;
  ModelFlags models;

  void add_to(CLI::App& command);

  /// Of a run that begins: the agent's configuration as the flags have it, all files read
  /// but for what the models decide. Throws UsageError, NotFound, FormatError, IoError.
  voyager::AgentConfig agent_config() const;
  /// --iterations, where it was given: a run may be gone on with to more of them.
  std::optional<int64_t> more_iterations() const;
  /// Throws UsageError.
  voyager::Budget budget() const;
  /// The program's own, or those of --prompts.
  voyager::Prompts prompts() const;
  /// Throws UsageError where --resume or --replay stands beside a flag of what a run is begun with.
  void check_flags_of_a_record() const;

 private:
  const CLI::App* command_ = nullptr;
  voyager::AgentConfig agent_;
  std::string tasks_file_;
  std::string skills_folder_;
  std::string prompts_folder_;
  std::string curriculum_ = "automatic";
  std::string without_;
  std::string budget_;
};

/// One task a line; blank lines and those that begin with # are left out. Throws UsageError where none is left.
std::vector<std::string> read_tasks(const std::string& path);
/// "tokens=200000,minutes=30": calls and cost too. Throws UsageError.
voyager::Budget parse_budget(const std::string& text);

}  // namespace caravel::cli
