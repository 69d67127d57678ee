#pragma once

#include <string>
#include <vector>

#include "cli/prospect/data.h"
#include "cli/prospect/scoring.h"
#include "nuggets/read_rows.h"

namespace caravel::cli {

/// The rows that are scored, and on what.
struct ScoringInput {
  const nuggets::RowFile& data;
  std::vector<nuggets::Row> tasks;
  Json about;  // for run.json: "data" and "tasks"
};

/// Scores them into the folder, or tells what that takes. False: it was interrupted, and what was scored stands in the
/// store. Throws Error.
bool score_into(const std::string& folder, const ScoringInput& input, const ScoringOptions& options);

/// For run.json.
Json describe_rows(const nuggets::RowFile& rows, const DataOptions& options);

}  // namespace caravel::cli
