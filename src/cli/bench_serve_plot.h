#pragma once

#include <string>
#include <vector>

#include "cli/bench_serve_report.h"

namespace caravel::cli {

/// An SVG of two panels: the share of samples below each latency, on a logarithmic axis; and over time the output
/// tokens per second and the requests that run. Readable on light and dark pages.
std::string plot_svg(const LoadReport& report, const std::vector<RequestRecord>& records, const std::string& title);

}  // namespace caravel::cli
