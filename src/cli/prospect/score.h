#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "caravel/config.h"
#include "cli/prospect/data.h"
#include "cli/prospect/run_folder.h"
#include "nuggets/read_rows.h"

namespace caravel::cli {

/// How candidates are scored, as flags.
struct ScoringOptions {
  EngineConfig engine;
  std::string shot_template;  // alpaca, chat or a file; empty: chat where the model has a template
  bool original = false;
  uint64_t seed = 1;
  std::optional<double> decide;  // a threshold
  std::optional<double> race;    // a threshold
  double risk = 0.05;            // of the race
  int64_t halving = 0;           // so many are wanted; 0: no halving
  std::string sieve;             // a model; empty: none
  std::string sieve_keep = "50%";
  std::string shard;  // "0/4"; empty: all rows
  std::string store;  // empty: in the run's folder
  bool details = false;
  bool baselines = true;

  void add_to(CLI::App& command);
};

/// The rows that are scored, and on what.
struct ScoringInput {
  const nuggets::RowFile& data;
  std::vector<nuggets::Row> tasks;
  Json about;  // for run.json: "data" and "tasks"
};

/// Scores them into the folder. False: it was interrupted, and what was scored stands in the store. Throws Error.
bool score_into(const std::string& folder, const ScoringInput& input, const ScoringOptions& options);

/// For run.json.
Json describe_rows(const nuggets::RowFile& rows, const DataOptions& options);

}  // namespace caravel::cli
