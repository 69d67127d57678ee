#pragma once

#include <string>

#include "cli/prospect/run_folder.h"
#include "nuggets/read_rows.h"

namespace caravel::cli {

/// Writes report.html into the run's folder, and gives its path. file: the rows that were scored. Throws Error.
std::string report_run(const std::string& folder, const Run& run, const nuggets::RowFile& file);

}  // namespace caravel::cli
