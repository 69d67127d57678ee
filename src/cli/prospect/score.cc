#include "cli/prospect/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "base/available_memory.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/numbers.h"
#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/prospect/commands.h"
#include "cli/prospect/data.h"
#include "cli/prospect/run_folder.h"
#include "cli/usage.h"
#include "nuggets/decide.h"
#include "nuggets/select.h"

namespace caravel::cli {
namespace {

using nuggets::CandidateScore;
using nuggets::Row;

/// "1/4": the second of four.
struct Shard {
  size_t index = 0;
  size_t count = 1;
};

Shard parse_shard(const std::string& text) {
  if (text.empty()) return {};
  const size_t slash = text.find('/');
  constexpr size_t kNone = std::numeric_limits<size_t>::max();
  const size_t index = parse_number<size_t>(text.substr(0, slash)).value_or(kNone);
  const size_t count = slash == text.npos ? 0 : parse_number<size_t>(text.substr(slash + 1)).value_or(0);
  if (index >= count) {
    throw fail<UsageError>("--shard {}: is no i/n with i from 0 to n - 1, such as 0/4 for the first of four", text);
  }
  return {index, count};
}

/// Rows that a small model does not find among the best are not scored by the large one: their problem says so.
bool sieve(const ScoringOptions& options, const std::string& store, const ScoringInput& input,
           std::vector<const Row*>& rows, std::vector<CandidateScore>& left_out, const InterruptGuard& guard) {
  const double share = nuggets::parse_share(options.sieve_keep);
  EngineConfig config = options.engine;
  config.model = options.sieve;
  ScoringOptions all = options;
  all.decide = all.race = std::nullopt;
  all.halving = 0;
  all.details = false;
  Scoring scoring(config, all, store, input.tasks, guard);
  if (!scoring.score(rows)) return false;
  std::vector<nuggets::Candidate> candidates;
  for (const Scored& scored : scoring.results()) candidates.push_back(candidate_of(scored.summary));
  const std::vector<size_t> order = nuggets::ranked(candidates);
  const auto kept = static_cast<size_t>(std::ceil(share * static_cast<double>(order.size())));
  std::vector<bool> stays(rows.size());
  for (size_t i = 0; i < std::min(kept, order.size()); ++i) stays[order[i]] = true;
  std::vector<const Row*> left;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (stays[i]) {
      left.push_back(rows[i]);
      continue;
    }
    const CandidateScore& summary = scoring.results()[i].summary;
    left_out.push_back({.id = summary.id, .number = summary.number, .problem = summary.problem});
    if (left_out.back().problem.empty()) {
      left_out.back().problem = fmt::format("the sieve {} gives it {:.3f}, which is not among its best {}",
                                            scoring.engine().model().name, summary.golden_score, options.sieve_keep);
    }
  }
  rows = std::move(left);
  return true;
}

/// What is given without a flag is the model; who gives data there means --data.
void check_is_model(const std::string& model) {
  const std::string ending = std::filesystem::path(model).extension().string();
  for (const char* const rows : {".json", ".jsonl", ".csv", ".tsv"}) {
    if (ending == rows && is_there(model)) {
      throw fail<UsageError>("{}: is no model; rows are given as --data {}", model, model);
    }
  }
}

Json describe_scoring(const ScoringOptions& options, const Scoring& scoring) {
  const ModelInfo& model = scoring.engine().model();
  const auto or_null = [](const auto& value) { return value ? Json(*value) : Json(); };
  return {{"model", {{"name", model.name}, {"path", model.path}, {"fingerprint", model.fingerprint}}},
          {"template", template_name(options, model)},
          {"template_hash",
           is_there(options.shot_template) ? Json(content_hash(read_file(options.shot_template))) : Json()},
          {"compat", options.original ? Json("original") : Json()},
          {"seed", options.seed},
          {"decide", or_null(options.decide)},
          {"race", or_null(options.race)},
          {"risk", options.race ? Json(options.risk) : Json()},
          {"halving", options.halving > 0 ? Json(options.halving) : Json()},
          {"sieve", options.sieve.empty() ? Json() : Json(options.sieve)},
          {"sieve_keep", options.sieve.empty() ? Json() : Json(options.sieve_keep)},
          {"shard", options.shard.empty() ? Json() : Json(options.shard)},
          {"arithmetic", scoring.arithmetic()},
          {"max_model_len", model.max_model_len}};
}

Json describe_task(const nuggets::ScoredTask& task, const nuggets::Turn& turn) {
  Json messages = Json::array();
  for (const Message* message : turn.path()) {
    messages.push_back({{"role", message->role}, {"content", message->content}});
  }
  messages.push_back({{"role", "assistant"}, {"content", turn.answer()}});
  Json line = {{"id", task.id}, {"messages", std::move(messages)}};
  if (!task.problem.empty()) {
    line["problem"] = task.problem;
  } else {
    line["zero_shot"] = task.zero_shot;
    line["answer_tokens"] = task.tokens.answer.size();
  }
  return line;
}

Run make_run(Scoring& scoring, const ScoringInput& input, const ScoringOptions& options,
             std::vector<CandidateScore> left_out) {
  Run run;
  run.info = {{"caravel", CARAVEL_VERSION}};
  run.info.update(input.about);
  run.info.update(describe_scoring(options, scoring));
  size_t number = 0;
  for (const Row& row : input.tasks) {
    for (const nuggets::Turn& turn : row.turns) {
      run.tasks.push_back(describe_task(scoring.scorer().tasks()[number++], turn));
    }
  }
  struct Line {
    CandidateScore summary;
    std::vector<float> gains;
  };
  std::vector<Line> lines;
  for (Scored& scored : scoring.results()) lines.push_back({std::move(scored.summary), std::move(scored.gains)});
  for (CandidateScore& summary : left_out) lines.push_back({std::move(summary), {}});
  std::ranges::sort(lines, {}, [](const Line& line) { return line.summary.number; });
  run.gains = {.rows = lines.size(), .columns = run.tasks.size(), .values = {}};
  for (Line& line : lines) {
    line.gains.resize(run.tasks.size(), std::numeric_limits<float>::quiet_NaN());
    run.gains.values.insert(run.gains.values.end(), line.gains.begin(), line.gains.end());
    run.scores.push_back(std::move(line.summary));
  }
  return run;
}

/// How much was computed, and what was spared.
void tell_work(Scoring& scoring, const ScoringOptions& options, size_t rows) {
  const nuggets::ShotScorer& scorer = scoring.scorer();
  int64_t used = 0;  // each once, in however many rounds of halving it was looked at
  int64_t all = 0;
  size_t early = 0;
  size_t without = 0;
  std::string why;
  for (const Scored& scored : scoring.results()) {
    used += scored.summary.tasks;
    all += scored.pairs;
    early += scored.summary.bounds.has_value();
    if (scored.summary.problem.empty()) continue;
    if (without++ == 0) why = scored.summary.problem;
  }
  std::string spared;
  if (options.decide || options.race || options.halving > 0) {
    const double share = static_cast<double>(used) / static_cast<double>(std::max<int64_t>(all, 1));
    spared = fmt::format("; {} of {} candidates were decided early, which spared {:.0f} % of all pairs", early, rows,
                         100 * (1 - share));
  }
  const Stats stats = scoring.engine().stats();
  log::tell(spdlog::level::info,
            fmt::format("{} pairs of candidate and task computed ({} tokens in all), {} found in the store{}",
                        scorer.computed_pairs(), stats.computed_tokens, used - scorer.computed_pairs(), spared));
  if (without == rows && rows > 0) throw fail<InvalidArgument>("no candidate could be scored, the first since {}", why);
  if (without > 0) {
    log::tell(spdlog::level::warn,
              fmt::format("{} of {} candidates have no score, the first since {}; scores.jsonl says it of each",
                          without, rows, why));
  }
}

/// Where a rule can spare nothing.
void tell_too_few(const Scoring& scoring, const ScoringOptions& options, size_t rows) {
  const auto tasks = static_cast<int64_t>(scoring.scorer().tasks().size());
  if (options.race && nuggets::race_looks(tasks).empty()) {
    log::tell(spdlog::level::warn, fmt::format("--race spares little with {} tasks: it first looks after 8", tasks));
  }
  if (options.halving > 0 && nuggets::halving_rounds(static_cast<int64_t>(rows), options.halving, tasks).size() < 2) {
    log::tell(spdlog::level::warn,
              fmt::format("--halving {} spares nothing of {} candidates and {} tasks", options.halving, rows, tasks));
  }
}

/// Tokens, time and memory, without more work than tells them.
void tell_estimate(Scoring& scoring, const ScoringOptions& options, std::span<const Row* const> rows) {
  const double tokens = scoring.tokens_of(rows);
  const auto rate = scoring.tokens_a_second(rows);
  const MemoryPlan& memory = scoring.engine().model().memory;
  const char* const most = options.decide || options.race || options.halving > 0 ? "at most " : "";
  log::tell(spdlog::level::info,
            fmt::format("{} candidates, {} tasks: {}{:.0f} tokens; {}; {} of memory beside the data", rows.size(),
                        scoring.scorer().tasks().size(), most, tokens,
                        rate ? fmt::format("{}{:.0f} s at {:.0f} tokens a second", most, tokens / *rate, *rate)
                             : std::string("how fast cannot be told, since the first rows stand in the store"),
                        memory_text(memory.weights + memory.activations + memory.program + memory.kv_cache)));
}

}  // namespace

Json describe_rows(const nuggets::RowFile& rows, const DataOptions& options) {
  return {{"path", options.path.empty() || options.path == "-" ? options.path
                                                               : std::filesystem::absolute(options.path).string()},
          {"columns", options.columns},
          {"hash", content_hash(rows.text())},
          {"rows", rows.rows().size()}};
}

bool score_into(const std::string& folder, const ScoringInput& input, const ScoringOptions& options) {
  check_is_model(options.engine.model);
  const Shard shard = parse_shard(options.shard);
  if (shard.count > 1 && (options.halving > 0 || !options.sieve.empty())) {
    throw UsageError(
        "--shard goes with neither --halving nor --sieve: the best of all rows are not the best of each part");
  }
  prepare_run_folder(folder, input.about);
  const std::string store = options.store.empty() ? in_folder(folder, kStoreFile) : options.store;
  std::vector<const Row*> rows;
  for (const Row& row : input.data.rows()) {
    if ((row.number - 1) % shard.count == shard.index) rows.push_back(&row);
  }
  std::vector<CandidateScore> left_out;
  const InterruptGuard guard;
  const auto interrupted = [&] {
    log::tell(spdlog::level::err,
              fmt::format("interrupted: what was scored stands in {}, and the same command goes on", store));
    return false;
  };
  if (options.estimate) {
    Scoring scoring(options.engine, options, store, input.tasks, guard);
    tell_estimate(scoring, options, rows);
    return !guard.interrupted();
  }
  if (!options.sieve.empty() && !sieve(options, store, input, rows, left_out, guard)) return interrupted();
  Scoring scoring(options.engine, options, store, input.tasks, guard);
  log::tell(spdlog::level::info, fmt::format("{} candidates, {} tasks: {}", rows.size(), input.tasks.size(), folder));
  tell_too_few(scoring, options, rows.size());
  if (!scoring.score(rows)) return interrupted();
  if (options.baselines && !scoring.score_answers(rows)) return interrupted();
  tell_work(scoring, options, rows.size());
  std::string details;
  for (const Scored& scored : scoring.results()) details += scored.details;
  write_run(folder, make_run(scoring, input, options, std::move(left_out)));
  if (options.details) replace_file(in_folder(folder, kDetailsFile), details);
  return true;
}

void add_prospect_score(CLI::App& prospect, int& exit_code) {
  struct Options {
    DataOptions data;
    std::string tasks;
    std::string task_columns;
    std::string out;
    ScoringOptions scoring;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *prospect.add_subcommand("score", "Golden scores of the candidates, by the tasks");
  options->data.add_to(command);
  command.add_option("--tasks", options->tasks, "The predefined tasks, in any of the forms of --data")
      ->required()
      ->check(not_empty());
  command.add_option("--task-columns", options->task_columns, "As --columns, of --tasks")
      ->check(not_empty())
      ->check(readable_by(nuggets::parse_columns));
  command.add_option("-o,--out", options->out, "The run's folder; a run that was stopped goes on there")
      ->required()
      ->check(not_empty());
  command
      .add_option(
          "--shard", options->scoring.shard,
          "i/n: every n-th row alone, from row i on, for a run on several machines; caravel prospect merge puts "
          "the runs together")
      ->check(not_empty());
  options->scoring.add_to(command);
  command.callback([options, &exit_code] {
    const nuggets::RowFile data = read_rows_aloud(options->data);
    const DataOptions of_tasks{.path = options->tasks, .columns = options->task_columns};
    const nuggets::RowFile tasks = read_rows_aloud(of_tasks);
    const ScoringInput input{
        .data = data,
        .tasks = tasks.rows(),
        .about = {{"data", describe_rows(data, options->data)}, {"tasks", describe_rows(tasks, of_tasks)}}};
    if (!score_into(options->out, input, options->scoring)) {
      exit_code = kInterruptedExitCode;
    } else if (!options->scoring.estimate) {
      log::tell(
          spdlog::level::info,
          fmt::format("{}: the scores; caravel prospect select {} --threshold 0.5 takes the best, caravel prospect "
                      "report {} shows them",
                      in_folder(options->out, kScoresFile), options->out, options->out));
    }
  });
}

}  // namespace caravel::cli
