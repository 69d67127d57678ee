#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "cli/prospect/run_folder.h"
#include "cli/prospect/tasks.h"
#include "nuggets/read_rows.h"

namespace caravel::cli {

/// Which candidates are taken, as flags.
struct SelectionOptions {
  std::optional<double> threshold;
  std::string top;    // "5%"
  int64_t top_k = 0;  // 0: not so
  bool drop_duplicates = false;
  double likeness = 0.8;  // of near-duplicates
  int64_t diverse = 0;    // so many of those that the rule takes; 0: all

  void add_to(CLI::App& command);
  bool has_rule() const { return threshold || !top.empty() || top_k > 0; }
};

/// Writes selected.* and dropped.jsonl into the run's folder, or the former to `output`, and tells the numbers. file:
/// the rows that were scored, as they stand in `data`. Throws Error.
void select_from(const std::string& folder, const Run& run, const nuggets::RowFile& file, const std::string& data,
                 const SelectionOptions& options, const EmbeddingOptions& embeddings, const std::string& output);

}  // namespace caravel::cli
