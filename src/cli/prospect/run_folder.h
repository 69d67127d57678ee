#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/npy.h"
#include "fields/json.h"
#include "nuggets/candidate_score.h"
#include "nuggets/read_rows.h"

namespace caravel::cli {

// Names in a run's folder (docs/nuggets.md).
inline constexpr const char* kRunFile = "run.json";
inline constexpr const char* kScoresFile = "scores.jsonl";
inline constexpr const char* kTasksFile = "tasks.jsonl";
inline constexpr const char* kGainsFile = "gains.npy";
inline constexpr const char* kStoreFile = "scores.db";
inline constexpr const char* kReportFile = "report.html";
inline constexpr const char* kDroppedFile = "dropped.jsonl";

/// What a run found.
struct Run {
  Json info = Json::object();                   // run.json: all that it takes to do it again
  std::vector<nuggets::CandidateScore> scores;  // in the order of their rows
  std::vector<Json> tasks;                      // "id", "messages", "zero_shot", "answer_tokens"; or "problem"
  NpyMatrix gains;                              // [scores, tasks], in nats; NaN: not scored
};

/// Makes the folder where there is none. Throws IoError where it cannot, or it cannot be written to.
void prepare_run_folder(const std::string& folder);
/// Each file is replaced whole. Throws IoError.
void write_run(const std::string& folder, const Run& run);
/// Throws NotFound: there is no run; FormatError: a line of one of its files is none, or they do not belong together.
Run read_run(const std::string& folder);

std::string in_folder(const std::string& folder, const std::string& name);

/// The rows that a run scored. path: where they are now; empty: where run.json has them. Throws as RowFile::open()
/// does, and InvalidArgument where they are not those that were scored.
nuggets::RowFile open_scored_rows(const Run& run, const std::string& path);

/// RUN/, for commands that look at a run.
void add_run_folder(CLI::App& command, std::string& folder);

/// What tells a file's content from another's.
std::string content_hash(std::string_view content);

}  // namespace caravel::cli
