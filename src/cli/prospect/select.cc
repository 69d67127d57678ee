#include "cli/prospect/select.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "base/npy.h"
#include "base/thread_pool.h"
#include "cli/output_file.h"
#include "cli/prospect/commands.h"
#include "cli/prospect/data.h"
#include "cli/prospect/run_folder.h"
#include "cli/usage.h"
#include "nuggets/select.h"
#include "nuggets/write_rows.h"

namespace caravel::cli {
namespace {

nuggets::Rule rule_of(const SelectionOptions& options) {
  using Kind = nuggets::Rule::Kind;
  if (options.threshold) return {Kind::kThreshold, *options.threshold};
  if (!options.top.empty()) return {Kind::kTopShare, nuggets::parse_share(options.top)};
  return {Kind::kTopCount, static_cast<double>(options.top_k)};
}

/// Rows that were decided early were decided for one threshold alone.
void check_rule(const Run& run, const nuggets::Rule& rule) {
  const std::optional<EarlyRows> early = early_rows(run);
  if (!early || (rule.kind == nuggets::Rule::Kind::kThreshold && rule.value == early->threshold)) return;
  log::tell(spdlog::level::warn, early->statement);
}

/// The rows of the file that were scored, in the order of the scores.
std::vector<const nuggets::Row*> rows_of(const Run& run, const nuggets::RowFile& file) {
  std::map<size_t, const nuggets::Row*> by_number;
  for (const nuggets::Row& row : file.rows()) by_number.emplace(row.number, &row);
  std::vector<const nuggets::Row*> rows;
  for (const nuggets::CandidateScore& score : run.scores) {
    const auto found = by_number.find(score.number);
    if (found == by_number.end()) {
      throw fail<FormatError>("the run has a score of row {}, and its data have no such row: score again",
                              score.number);
    }
    rows.push_back(found->second);
  }
  return rows;
}

std::string whole_text(const nuggets::Row& row) {
  std::string text;
  for (const nuggets::Turn& turn : row.turns) {
    text += turn.path().back()->content + "\n" + turn.answer() + "\n";
  }
  return text;
}

/// Why a row has no score to select by.
std::string no_score(const nuggets::CandidateScore& score) {
  if (!score.problem.empty()) return score.problem;
  return fmt::format("halving left it behind after {} tasks, of which {} were won", score.tasks, score.wins);
}

}  // namespace

void select_from(const std::string& folder, const Run& run, const nuggets::RowFile& file, const std::string& data,
                 const SelectionOptions& options, const EmbeddingOptions& source, const std::string& output) {
  const nuggets::Rule rule = rule_of(options);
  const std::vector<const nuggets::Row*> rows = rows_of(run, file);
  check_rule(run, rule);
  const std::string target =
      output.empty() ? in_folder(folder, "selected" + std::string(extension_of(file.syntax()))) : output;
  if (!output.empty()) check_no_run_file(folder, output);
  const nuggets::RowLayout layout = check_output(target, data, file);
  nuggets::SelectOptions how{.rule = rule};
  std::vector<std::string> texts;
  std::vector<std::string_view> views;
  if (options.drop_duplicates) {
    for (const nuggets::Row* row : rows) texts.push_back(whole_text(*row));
    views.assign(texts.begin(), texts.end());
    how.texts = views;
    how.likeness = options.likeness;
  }
  NpyMatrix embeddings;
  if (options.diverse > 0) {
    embeddings = row_embeddings(file, source);
    // Of all rows of the file; a shard has scored some.
    std::vector<float> of_scored;
    for (const nuggets::Row* row : rows) {
      const auto first = embeddings.values.begin() +
                         static_cast<ptrdiff_t>(static_cast<size_t>(row - file.rows().data()) * embeddings.columns);
      of_scored.insert(of_scored.end(), first, first + static_cast<ptrdiff_t>(embeddings.columns));
    }
    embeddings.values = std::move(of_scored);
    how.embeddings = {.values = embeddings.values, .width = embeddings.columns};
    how.diverse = static_cast<size_t>(options.diverse);
  }
  ThreadPool pool(usable_processors());
  const std::vector<nuggets::Candidate> candidates = candidates_of(run);
  const std::vector<nuggets::Verdict> verdicts = nuggets::select(candidates, how, pool);

  std::string selected;
  std::string dropped;
  size_t count = 0;
  nuggets::RowWriter writer(file, layout, [&](std::string_view part) { selected += part; });
  for (size_t i = 0; i < rows.size(); ++i) {
    const nuggets::CandidateScore& score = run.scores[i];
    if (verdicts[i].kind == nuggets::Verdict::Kind::kSelected) {
      writer.write(*rows[i],
                   {{"gs", score.golden_score}, {"wins", score.wins}, {"tasks", score.tasks}, {"gain", score.gain}});
      ++count;
      continue;
    }
    const bool has_none = verdicts[i].kind == nuggets::Verdict::Kind::kNoScore;
    Json line = {{"id", score.id}, {"row", score.number}};
    if (score.problem.empty()) line["gs"] = score.golden_score;
    line["why"] = has_none ? no_score(score) : verdicts[i].why;
    dropped += to_text(line) + "\n";
  }
  writer.end();
  for (const nuggets::RowProblem& problem : file.problems()) {
    if (!problem.is_skipped) continue;
    dropped += to_text({{"row", problem.number}, {"line", problem.line}, {"why", problem.what}}) + "\n";
  }
  replace_file(target, selected);
  // What goes elsewhere leaves the run's own selection as it is, and what that dropped.
  if (output.empty()) replace_file(in_folder(folder, kDroppedFile), dropped);
  log::tell(spdlog::level::info,
            fmt::format("{} of {} rows selected: {}", count, rows.size(), target == "-" ? "standard output" : target));
  if (!writer.replaced().empty()) {
    log::tell(spdlog::level::warn,
              fmt::format("rows had {} of their own, which the scores replace", fmt::join(writer.replaced(), ", ")));
  }
  if (count == 0) log::tell(spdlog::level::warn, "no row is left: a lower --threshold, or --top, leaves some");
}

void SelectionOptions::add_to(CLI::App& command) {
  auto* by_threshold = command.add_option("--threshold", threshold, "Those whose golden score is at least this")
                           ->check(number_in({0, 1}))
                           ->default_str("none");
  auto* by_share = command.add_option("--top", top, "The best share of them, such as 5%")
                       ->check(readable_by(nuggets::parse_share))
                       ->excludes(by_threshold);
  command.add_option("--top-k", top_k, "The best N")
      ->transform(whole_number(1, 1 << 30))
      ->default_str("none")
      ->excludes(by_threshold)
      ->excludes(by_share);
  auto* near = command.add_flag("--drop-near-duplicates", drop_duplicates,
                                "Of rows that are nearly the same, the best alone (MinHash)");
  command.add_option("--likeness", likeness, "The share of words in common that makes near-duplicates")
      ->check(number_in({.low = 0, .high = 1, .above = true}))
      ->capture_default_str()
      ->needs(near);
  command
      .add_option("--diverse", diverse,
                  "Of those that the rule takes, the N that stand best for all of them (facility location over "
                  "embeddings)")
      ->transform(whole_number(1, 1 << 30))
      ->default_str("all");
}

void add_prospect_select(CLI::App& prospect) {
  struct Options {
    std::string folder;
    SelectionOptions selection;
    EmbeddingOptions embeddings;
    std::string data;
    std::string output;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command =
      *prospect.add_subcommand("select", "Take the best of a run's candidates, in the form of the data, with scores");
  add_run_folder(command, options->folder);
  options->selection.add_to(command);
  options->embeddings.add_to(command);
  command.add_option("--data", options->data, "The rows that were scored")
      ->default_str("where they were then")
      ->check(not_empty());
  command.add_option("-o,--output", options->output, "Where the selected rows go; -: standard output")
      ->default_str("selected.json, .jsonl or .csv in RUN")
      ->check(not_empty());
  command.callback([options] {
    if (!options->selection.has_rule()) throw UsageError("which rows? Give --threshold 0.8, --top 5% or --top-k N");
    const Run run = read_run(options->folder);
    const std::string data = options->data.empty() ? run.info.at("data").at("path").get<std::string>() : options->data;
    select_from(options->folder, run, open_scored_rows(run, options->data), data, options->selection,
                options->embeddings, options->output);
  });
}

}  // namespace caravel::cli
