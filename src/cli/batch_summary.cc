#include "cli/batch_summary.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "cli/interrupt.h"

namespace caravel::cli {
namespace {

constexpr size_t kShownFailures = 5;

std::string counted(int64_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace

void BatchOutcome::note_failure(int64_t line, std::string id, std::string error) {
  ++failed;
  first_failures.emplace(line, Failure{std::move(id), std::move(error)});
  if (first_failures.size() > kShownFailures) first_failures.erase(std::prev(first_failures.end()));
}

int BatchOutcome::exit_code() const {
  if (interrupted) return kInterruptedExitCode;
  return failed > 0 ? kRowsFailedExitCode : 0;
}

std::vector<std::string> summary(const BatchOutcome& outcome, const std::string& output) {
  std::string counts = fmt::format("{}: {} answered", counted(outcome.rows, "row", "rows"), outcome.answered);
  if (outcome.before > 0) counts += fmt::format(", {} before", outcome.before);
  counts += fmt::format(", {} failed", outcome.failed);
  if (const int64_t left = outcome.rows - outcome.answered - outcome.before - outcome.failed; left > 0) {
    counts += fmt::format(", {} left", left);
  }
  counts += fmt::format("; {} in {:.1f} s", counted(outcome.tokens, "token", "tokens"), outcome.seconds);
  if (outcome.cut > 0) {
    counts += fmt::format("; {} cut (finish_reason length)", counted(outcome.cut, "answer was", "answers were"));
  }
  std::vector<std::string> lines = {std::move(counts)};
  for (const auto& [line, failure] : outcome.first_failures) {
    const std::string id = failure.id.empty() ? "" : fmt::format(" ({})", failure.id);
    lines.push_back(fmt::format("line {}{}: {}", line, id, failure.error));
  }
  if (const size_t shown = outcome.first_failures.size(); static_cast<size_t>(outcome.failed) > shown) {
    lines.push_back(fmt::format("and {} more", outcome.failed - static_cast<int64_t>(shown)));
  }
  if (outcome.unread) {
    lines.emplace_back("nobody reads the results any more; the rows that are left were not run");
  } else if (outcome.interrupted) {
    lines.emplace_back(output.empty() ? "interrupted; with --output FILE the same command would go on"
                                      : "interrupted; the same command goes on with the rows that are left");
  } else if (outcome.failed > 0 && !output.empty()) {
    std::string advice = fmt::format(
        "{} has the error of each; the same command runs rows that were mended, and with "
        "--retry-failed those that were not",
        output);
    if (outcome.failed_before > 0) advice += fmt::format(" ({} failed before)", outcome.failed_before);
    lines.push_back(std::move(advice));
  }
  return lines;
}

}  // namespace caravel::cli
