#pragma once

#include <CLI/CLI.hpp>
#include <optional>
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
inline constexpr const char* kDetailsFile = "details.jsonl";

/// What a run found.
struct Run {
  Json info = Json::object();                   // run.json: all that it takes to do it again
  std::vector<nuggets::CandidateScore> scores;  // in the order of their rows
  std::vector<Json> tasks;                      // "id", "messages", "zero_shot", "answer_tokens"; or "problem"
  NpyMatrix gains;                              // [scores, tasks], in nats; NaN: not scored
};

/// Makes the folder where there is none. about: what of run.json says which files the run reads. Throws IoError where
/// the folder cannot be made or written to, InvalidArgument where a file that the run would replace is one that it
/// reads, or was not made by a run.
void prepare_run_folder(const std::string& folder, const Json& about);
/// Throws InvalidArgument where `path` is one of the run's own files but its selection.
void check_no_run_file(const std::string& folder, const std::string& path);
/// Each file is replaced whole. Throws IoError.
void write_run(const std::string& folder, const Run& run);
/// Throws NotFound: there is no run; FormatError: a line of one of its files is none, or they do not belong together.
Run read_run(const std::string& folder);

/// Rows that --decide or --race decided for a threshold before all tasks were done.
struct EarlyRows {
  double threshold;
  std::string statement;  // what that means for other thresholds
};
/// Nothing: all rows were scored on all tasks, or halving left some behind.
std::optional<EarlyRows> early_rows(const Run& run);

/// As they are ranked and selected, in the order of the scores: after halving, the rows that left early rank behind all
/// that stayed, whatever their few tasks said.
std::vector<nuggets::Candidate> candidates_of(const Run& run);

std::string in_folder(const std::string& folder, const std::string& name);

/// The rows that a run scored. path: where they are now; empty: where run.json has them. Throws as RowFile::open()
/// does, and InvalidArgument where they are not those that were scored.
nuggets::RowFile open_scored_rows(const Run& run, const std::string& path);

/// RUN/, for commands that look at a run.
void add_run_folder(CLI::App& command, std::string& folder);

/// What tells a file's content from another's.
std::string content_hash(std::string_view content);

}  // namespace caravel::cli
