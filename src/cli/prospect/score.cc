#include "cli/prospect/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/numbers.h"
#include "caravel/engine.h"
#include "chat/renderer.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "cli/prospect/commands.h"
#include "cli/usage.h"
#include "nuggets/baselines.h"
#include "nuggets/decide.h"
#include "nuggets/score_store.h"
#include "nuggets/select.h"
#include "nuggets/shot_scorer.h"
#include "nuggets/shot_template.h"
#include "nuggets/stopping.h"
#include "text/prompt_components.h"

namespace caravel::cli {
namespace {

using nuggets::CandidateScore;
using nuggets::Row;
using nuggets::RowScore;

constexpr const char* kAlpaca = "alpaca";
constexpr const char* kChat = "chat";

std::unique_ptr<nuggets::ShotTemplate> open_template(const ScoringOptions& options, const Engine& engine,
                                                     const chat::Renderer& renderer) {
  const nuggets::ShotOptions shots{.original = options.original};
  std::string name = options.shot_template;
  if (name.empty()) name = engine.model().chat_template.empty() ? kAlpaca : kChat;
  if (name == kChat) return nuggets::chat_shots(engine.tokenizer(), renderer, shots);
  const text::PromptComponents components =
      name == kAlpaca ? nuggets::alpaca_components() : text::parse_prompt_components(read_file(name), name);
  return nuggets::component_shots(engine.tokenizer(), components, shots);
}

/// "1/4": the second of four.
struct Shard {
  size_t index = 0;
  size_t count = 1;
};

Shard parse_shard(const std::string& text) {
  if (text.empty()) return {};
  const size_t slash = text.find('/');
  const auto index = parse_number<size_t>(text.substr(0, slash));
  const auto count = slash == std::string::npos ? std::nullopt : parse_number<size_t>(text.substr(slash + 1));
  if (!index || !count || *index >= *count) {
    throw fail<UsageError>("--shard {}: is no i/n with i from 0 to n - 1, such as 0/4 for the first of four", text);
  }
  return {*index, *count};
}

/// What a row's score becomes, and the tasks' gains, [tasks].
struct Scored {
  CandidateScore summary;
  std::vector<float> gains;
  std::string details;
};

/// One model that scores rows.
class Scoring {
 public:
  Scoring(const EngineConfig& config, const ScoringOptions& options, const std::string& store,
          std::span<const Row> tasks, const InterruptGuard& guard)
      : options_(options),
        guard_(guard),
        engine_(Engine::open(config)),
        renderer_(engine_->tokenizer(), engine_->model()),
        shots_(open_template(options, *engine_, renderer_)),
        store_(store, model_key(config)),
        scorer_(*engine_, *shots_, store_, tasks, {.seed = options.seed, .stop = &guard.flag()}) {
    size_t left_out = 0;
    for (const nuggets::ScoredTask& task : scorer_.tasks()) {
      if (task.problem.empty()) continue;
      if (left_out++ < 3)
        log::tell(spdlog::level::warn, fmt::format("task {}: is left out: {}", task.id, task.problem));
    }
    if (left_out > 3) log::tell(spdlog::level::warn, fmt::format("{} tasks are left out in all", left_out));
  }

  /// False: interrupted.
  bool score(std::span<const Row* const> rows) {
    results_.assign(rows.size(), {});
    if (!scorer_.score_tasks()) return false;
    return options_.halving > 0 ? halve(rows) : pass(rows, all_of(rows.size()), target());
  }

  bool score_answers(std::span<const Row* const> rows) {
    Progress progress(guard_, static_cast<int64_t>(rows.size()), 0);
    const int64_t before = engine_->stats().computed_tokens;
    return nuggets::score_answers(*engine_, *shots_, store_, rows, guard_.flag(),
                                  [&](size_t index, const std::optional<nuggets::Baselines>& baselines) {
                                    results_[index].summary.baselines = baselines;
                                    progress.update(static_cast<int64_t>(index) + 1,
                                                    engine_->stats().computed_tokens - before);
                                  });
  }

  std::vector<Scored>& results() { return results_; }
  const nuggets::ShotScorer& scorer() const { return scorer_; }
  const Engine& engine() const { return *engine_; }
  const nuggets::ShotTemplate& shots() const { return *shots_; }
  int64_t stored() { return store_.size(); }

 private:
  /// Keys and values of another type give other numbers.
  std::string model_key(const EngineConfig& config) const {
    return fmt::format("{} kv{}", engine_->model().fingerprint, static_cast<int>(config.kv_cache_dtype));
  }

  nuggets::TaskTarget target() const {
    if (options_.decide) return nuggets::until_settled(*options_.decide);
    if (options_.race) {
      return nuggets::until_raced(*options_.race, options_.risk, static_cast<int64_t>(scorer_.tasks().size()));
    }
    return nuggets::all_tasks();
  }

  static std::vector<size_t> all_of(size_t count) {
    std::vector<size_t> all(count);
    std::iota(all.begin(), all.end(), size_t{0});
    return all;
  }

  /// Scores those of the rows that `which` names.
  bool pass(std::span<const Row* const> rows, const std::vector<size_t>& which, const nuggets::TaskTarget& target) {
    std::vector<const Row*> chosen;
    for (const size_t index : which) chosen.push_back(rows[index]);
    Progress progress(guard_, static_cast<int64_t>(chosen.size()), 0);
    const int64_t before = engine_->stats().computed_tokens;
    int64_t done = 0;
    return scorer_.score_rows(chosen, target, [&](size_t index, const RowScore& score) {
      keep(results_[which[index]], *chosen[index], score);
      progress.update(++done, engine_->stats().computed_tokens - before);
    });
  }

  bool halve(std::span<const Row* const> rows) {
    std::vector<size_t> left = all_of(rows.size());
    const auto rounds = nuggets::halving_rounds(static_cast<int64_t>(rows.size()), options_.halving,
                                                static_cast<int64_t>(scorer_.tasks().size()));
    for (const nuggets::Round& round : rounds) {
      if (left.size() > static_cast<size_t>(round.candidates)) {
        left = best(left, static_cast<size_t>(round.candidates));
      }
      const bool is_last = &round == &rounds.back();
      const auto target = [&](const RowScore&) {
        return is_last ? std::numeric_limits<size_t>::max() : static_cast<size_t>(round.tasks);
      };
      if (!pass(rows, left, target)) return false;
    }
    return true;
  }

  /// In their order.
  std::vector<size_t> best(const std::vector<size_t>& of, size_t count) const {
    std::vector<nuggets::Candidate> candidates;
    for (const size_t index : of) {
      const CandidateScore& summary = results_[index].summary;
      nuggets::Candidate& candidate = candidates.emplace_back();
      candidate.id = summary.id;
      if (!summary.problem.empty()) continue;
      candidate.golden_score = summary.golden_score;
      candidate.gain = summary.gain;
    }
    std::vector<size_t> kept;
    for (const size_t place : nuggets::ranked(candidates)) {
      if (kept.size() < count) kept.push_back(of[place]);
    }
    std::ranges::sort(kept);
    return kept;
  }

  void keep(Scored& scored, const Row& row, const RowScore& score) const {
    scored.summary = summarize(row, score);
    scored.gains.assign(scorer_.tasks().size(), std::numeric_limits<float>::quiet_NaN());
    scored.details.clear();
    // Of a row with several turns the mean.
    std::vector<std::pair<double, int>> sums(scored.gains.size());
    for (size_t turn = 0; turn < score.turns.size(); ++turn) {
      for (const nuggets::PairScore& pair : score.turns[turn].scores) {
        const nuggets::ScoredTask& task = scorer_.tasks()[static_cast<size_t>(pair.task)];
        auto& [sum, count] = sums[static_cast<size_t>(pair.task)];
        sum += pair.gain;
        ++count;
        if (!options_.details) continue;
        Json line = {{"id", row.id}};
        if (score.turns.size() > 1) line["turn"] = turn + 1;
        line["task"] = task.id;
        line["one_shot"] = pair.one_shot;
        line["zero_shot"] = task.zero_shot;
        line["tokens"] = task.tokens.answer.size();
        scored.details += to_text(line) + "\n";
      }
    }
    for (size_t i = 0; i < sums.size(); ++i) {
      if (sums[i].second > 0) scored.gains[i] = static_cast<float>(sums[i].first / sums[i].second);
    }
  }

  const ScoringOptions& options_;
  const InterruptGuard& guard_;
  std::unique_ptr<Engine> engine_;
  chat::Renderer renderer_;
  std::unique_ptr<nuggets::ShotTemplate> shots_;
  nuggets::ScoreStore store_;
  nuggets::ShotScorer scorer_;
  std::vector<Scored> results_;
};

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
  for (const Scored& scored : scoring.results()) {
    nuggets::Candidate& candidate = candidates.emplace_back();
    if (!scored.summary.problem.empty()) continue;
    candidate.golden_score = scored.summary.golden_score;
    candidate.gain = scored.summary.gain;
  }
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

Json describe_scoring(const ScoringOptions& options, const Engine& engine) {
  const ModelInfo& model = engine.model();
  const auto or_null = [](const auto& value) { return value ? Json(*value) : Json(); };
  std::string shots = options.shot_template;
  if (shots.empty()) shots = model.chat_template.empty() ? kAlpaca : kChat;
  return {{"model", {{"name", model.name}, {"path", model.path}, {"fingerprint", model.fingerprint}}},
          {"template", shots},
          {"compat", options.original ? Json("original") : Json()},
          {"seed", options.seed},
          {"decide", or_null(options.decide)},
          {"race", or_null(options.race)},
          {"risk", options.race ? Json(options.risk) : Json()},
          {"halving", options.halving > 0 ? Json(options.halving) : Json()},
          {"sieve", options.sieve.empty() ? Json() : Json(options.sieve)},
          {"sieve_keep", options.sieve.empty() ? Json() : Json(options.sieve_keep)},
          {"shard", options.shard.empty() ? Json() : Json(options.shard)}};
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
  run.info.update(describe_scoring(options, scoring.engine()));
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
void tell_work(const Scoring& scoring, const ScoringOptions& options, size_t rows) {
  const nuggets::ShotScorer& scorer = scoring.scorer();
  const auto all = static_cast<int64_t>(rows * scorer.tasks().size());
  const int64_t used = scorer.computed_pairs() + scorer.stored_pairs();
  std::string spared;
  if (options.decide || options.race || options.halving > 0) {
    spared = fmt::format("; {:.0f} % of all {} pairs were not needed",
                         100 * (1 - static_cast<double>(used) / static_cast<double>(std::max<int64_t>(all, 1))), all);
  }
  log::tell(
      spdlog::level::info,
      fmt::format("{} pairs of candidate and task computed ({} tokens in all), {} found in the store{}",
                  scorer.computed_pairs(), scoring.engine().stats().computed_tokens, scorer.stored_pairs(), spared));
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
  const Shard shard = parse_shard(options.shard);
  prepare_run_folder(folder);
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
  if (!options.sieve.empty() && !sieve(options, store, input, rows, left_out, guard)) return interrupted();
  Scoring scoring(options.engine, options, store, input.tasks, guard);
  if (!scoring.score(rows)) return interrupted();
  if (options.baselines && !scoring.score_answers(rows)) return interrupted();
  tell_work(scoring, options, rows.size());
  if (options.details) {
    std::string details;
    for (const Scored& scored : scoring.results()) details += scored.details;
    replace_file(in_folder(folder, "details.jsonl"), details);
  }
  write_run(folder, make_run(scoring, input, options, std::move(left_out)));
  return true;
}

void ScoringOptions::add_to(CLI::App& command) {
  command
      .add_option("--template", shot_template,
                  "How an example and a task become a prompt: chat, by the model's chat template; alpaca, in the "
                  "paper's words; or a file of named components (docs/nuggets.md)")
      ->default_str("chat where the model has a template, else alpaca")
      ->check(not_empty());
  command
      .add_option_function<std::string>(
          "--compat", [this](const std::string& what) { original = what == "original"; },
          "original: as the published code does, answers are cut at 200 tokens, and a token that begins texts stands "
          "before the example alone")
      ->transform(one_of({"original"}));
  command.add_option("--seed", seed, "Of what is drawn: the order of the tasks, and where they are chosen, which")
      ->transform(seed_number())
      ->capture_default_str();
  auto* rules = command.add_option_group("Work not done");
  auto* settle = rules
                     ->add_option("--decide", decide,
                                  "A threshold: a candidate is done once its score is on one side of it whatever the "
                                  "tasks that are left say. Exact for this threshold; other thresholds are not")
                     ->check(number_in({0, 1}));
  auto* race_flag = rules
                        ->add_option("--race", race,
                                     "A threshold: a candidate is done once the tasks seen say on which side of it the "
                                     "score lies, wrongly with the probability of --risk")
                        ->check(number_in({0, 1}))
                        ->excludes(settle);
  rules->add_option("--risk", risk, "What --race may get wrong, of each candidate")
      ->check(number_in({0, 1}))
      ->capture_default_str()
      ->needs(race_flag);
  rules
      ->add_option("--halving", halving,
                   "How many are wanted: few tasks for all candidates, twice as many for the better half, and so on; "
                   "without a bound on what it misses")
      ->transform(whole_number(1, 1 << 30))
      ->excludes(settle)
      ->excludes(race_flag);
  auto* sieve_flag =
      rules->add_option("--sieve", sieve, "A small model that scores first; MODEL scores the best of them alone")
          ->check(not_empty());
  rules->add_option("--sieve-keep", sieve_keep, "The share of the candidates that the sieve leaves")
      ->capture_default_str()
      ->needs(sieve_flag);
  command.add_option("--store", store, "Where scores are kept, for several runs to share")
      ->default_str("scores.db in the run's folder")
      ->check(not_empty());
  command.add_flag("--details", details, "Also write details.jsonl, a line for each candidate and task");
  command.add_flag("!--no-baselines", baselines, "Leave out perplexity and IFD, which take a little more work");
  add_engine_flags(command, engine);
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
  command.add_option("--task-columns", options->task_columns, "As --columns, of --tasks")->check(not_empty());
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
    if (!score_into(options->out, input, options->scoring)) exit_code = kInterruptedExitCode;
  });
}

}  // namespace caravel::cli
