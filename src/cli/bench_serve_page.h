#pragma once

#include <string>
#include <vector>

#include "cli/bench_serve_report.h"

namespace caravel::cli {

/// The report as an HTML page: its figures; the share of samples below each latency, on a logarithmic axis, with the
/// bounds that were asked for; and over time the output tokens per second and the requests that run.
std::string load_page(const LoadReport& report, const std::vector<RequestRecord>& records, const std::string& title);

}  // namespace caravel::cli
