#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "voyager/run_store.h"

namespace caravel::cli {

inline constexpr const char* kVoyageReport = "report.html";

/// A run that was begun is there. Throws FormatError, IoError.
bool holds_run(const std::string& folder);
/// A new run can have the folder. Throws UsageError: a run is there, or something else.
void check_begins(const std::string& folder);
/// A run that was begun is there. Throws UsageError, whose end is `hint`: what to do.
void check_holds_run(const std::string& folder, std::string_view hint);

/// Writes what a run's record says into its folder: report.html, map.png, skills/, events.jsonl and calls.jsonl, each
/// whole or not at all. Throws IoError.
void write_run_files(const std::string& folder, const voyager::RunStore& run);

/// The world of that name. clock: its seconds to one of ours, where that is given. Throws Unsupported: there is none in
/// this program; UsageError: its clock is not for us to set.
std::unique_ptr<voyager::Environment> open_world(const std::string& name, std::optional<double> clock = std::nullopt);

}  // namespace caravel::cli
