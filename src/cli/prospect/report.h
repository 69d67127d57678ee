#pragma once

#include <string>

namespace caravel::cli {

/// Writes report.html into the run's folder, and gives its path. data: the rows, where they are now; empty: where
/// run.json has them. Throws Error.
std::string report_run(const std::string& folder, const std::string& data);

}  // namespace caravel::cli
