#include "cli/prospect/scoring.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/open_engine.h"
#include "cli/progress.h"
#include "device/cpu/isa.h"
#include "device/open_device.h"
#include "nuggets/baselines.h"
#include "nuggets/decide.h"
#include "nuggets/select.h"
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
  const std::string name = template_name(options, engine.model());
  if (name == kChat) return nuggets::chat_shots(engine.tokenizer(), renderer, shots);
  if (name != kAlpaca && !is_there(name)) {
    throw fail<NotFound>("--template {}: is neither {}, {} nor a file that is there", name, kChat, kAlpaca);
  }
  const text::PromptComponents components =
      name == kAlpaca ? nuggets::alpaca_components() : text::parse_prompt_components(read_file(name), name);
  return nuggets::component_shots(engine.tokenizer(), components, shots);
}

/// A few candidates and some tasks behind each are in work at once, and no candidate comes again: a pool for as many
/// tokens as that takes, where none was asked for, instead of all the memory that there is.
EngineConfig with_small_pool(EngineConfig config) {
  constexpr int64_t kTokens = 16384;
  if (config.kv_cache_memory != 0) return config;
  const ModelInfo model = describe_model(config);
  const int64_t tokens = std::max<int64_t>(kTokens, model.max_model_len);
  if (model.kv_tokens > tokens) config.kv_cache_memory = tokens * model.kv_bytes_per_token;
  return config;
}

/// Two that differ in it give other numbers. Tiles (AMX) give what vectors of the same processor give.
std::string arithmetic_of(const EngineConfig& config) {
  const Isa isa = choose_isa(config.isa);
  const bool on_gpu = choose_device(config.device).kind == DeviceKind::kCuda;
  return fmt::format("{} kv{} w{}{}{}", on_gpu ? "cuda" : isa_name(isa == Isa::kAvx512Amx ? Isa::kAvx512Vnni : isa),
                     static_cast<int>(config.kv_cache_dtype), static_cast<int>(config.quantization),
                     config.rope_scaling.empty() ? "" : " rope ", config.rope_scaling);
}

std::vector<size_t> all_of(size_t count) {
  std::vector<size_t> all(count);
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

}  // namespace

std::string template_name(const ScoringOptions& options, const ModelInfo& model) {
  if (!options.shot_template.empty()) return options.shot_template;
  return model.chat_template.empty() ? kAlpaca : kChat;
}

Scoring::Scoring(const EngineConfig& config, const ScoringOptions& options, const std::string& store,
                 std::span<const nuggets::Row> tasks, const InterruptGuard& guard)
    : options_(options),
      guard_(guard),
      arithmetic_(arithmetic_of(config)),
      engine_(open_engine(with_small_pool(config))),
      renderer_(engine_->tokenizer(), engine_->model()),
      shots_(open_template(options, *engine_, renderer_)),
      store_(store, engine_->model().fingerprint + " " + arithmetic_),
      scorer_(*engine_, *shots_, store_, tasks, {.seed = options.seed, .stop = &guard.flag()}) {
  size_t left_out = 0;
  for (const nuggets::ScoredTask& task : scorer_.tasks()) {
    if (task.problem.empty()) continue;
    if (left_out++ < 3) log::tell(spdlog::level::warn, fmt::format("task {}: is left out: {}", task.id, task.problem));
  }
  if (left_out > 3) log::tell(spdlog::level::warn, fmt::format("{} tasks are left out in all", left_out));
}

bool Scoring::score(std::span<const Row* const> rows) {
  results_.assign(rows.size(), {});
  if (!scorer_.score_tasks()) return false;
  return options_.halving > 0 ? halve(rows) : pass(rows, all_of(rows.size()), target());
}

bool Scoring::score_answers(std::span<const Row* const> rows) {
  Progress progress(guard_, static_cast<int64_t>(rows.size()), 0);
  const int64_t before = engine_->stats().computed_tokens;
  return nuggets::score_answers(*engine_, *shots_, store_, rows, guard_.flag(),
                                [&](size_t index, const std::optional<nuggets::Baselines>& baselines) {
                                  results_[index].summary.baselines = baselines;
                                  progress.update(static_cast<int64_t>(index) + 1,
                                                  engine_->stats().computed_tokens - before);
                                });
}

double Scoring::tokens_of(std::span<const Row* const> rows) const {
  double of_tasks = 0;
  double alone = 0;
  for (const nuggets::ScoredTask& task : scorer_.tasks()) {
    // A continuation's last token tells of nothing and is not computed.
    const auto answer = static_cast<double>(task.tokens.answer.size()) - 1;
    if (!task.problem.empty()) continue;
    of_tasks += static_cast<double>(task.tokens.question.size()) + answer;
    alone += static_cast<double>(task.tokens.alone.size()) + answer;
  }
  // Of very many rows some are tokenized, evenly spread.
  constexpr size_t kTokenized = 5000;
  const size_t step = std::max<size_t>(rows.size() / kTokenized, 1);
  double sum = 0;
  std::vector<int32_t> first;
  const auto block = static_cast<size_t>(options_.engine.block_size);
  for (size_t i = 0; i < rows.size(); i += step) {
    for (const nuggets::Turn& turn : rows[i]->turns) {
      try {
        const std::vector<int32_t> example = shots_->example(turn);
        if (first.empty()) first = example;
        // What all begin with (a system message) is in the prefix cache, in whole blocks.
        const auto same = static_cast<size_t>(std::ranges::mismatch(first, example).in1 - first.begin());
        const size_t cached = sum == 0 || !options_.engine.enable_prefix_caching ? 0 : same / block * block;
        sum += static_cast<double>(example.size() - cached) + of_tasks;
        if (!options_.baselines) continue;
        const nuggets::TaskTokens as_task = shots_->task(turn);
        sum += static_cast<double>(as_task.alone.size() - std::min(cached, as_task.alone.size()) +
                                   2 * as_task.answer.size()) -
               1;
      } catch (const InvalidArgument&) {
        continue;  // it has no score
      }
    }
  }
  return alone + sum * static_cast<double>(step);
}

std::optional<double> Scoring::tokens_a_second(std::span<const Row* const> rows) {
  constexpr double kSeconds = 5;
  constexpr double kTokens = 16384;  // at once: the last steps of them are not full, and few of all should be so
  if (rows.empty() || !scorer_.score_tasks()) return std::nullopt;
  const double of_one = std::max(tokens_of(rows) / static_cast<double>(rows.size()), 1.0);
  const auto at_once = static_cast<size_t>(std::clamp(kTokens / of_one, 1.0, 20.0));
  const int64_t before = engine_->stats().computed_tokens;
  const Clock::time_point start = Clock::now();
  for (size_t first = 0; first < rows.size() && seconds_since(start) < kSeconds; first += at_once) {
    const auto some = rows.subspan(first, std::min(at_once, rows.size() - first));
    if (!scorer_.score_rows(some, nuggets::all_tasks(), [](size_t, const RowScore&) {})) return std::nullopt;
  }
  const auto computed = static_cast<double>(engine_->stats().computed_tokens - before);
  return computed > 0 ? std::optional(computed / seconds_since(start)) : std::nullopt;
}

nuggets::TaskTarget Scoring::target() const {
  if (options_.decide) return nuggets::until_settled(*options_.decide);
  if (options_.race) {
    return nuggets::until_raced(*options_.race, options_.risk, static_cast<int64_t>(scorer_.tasks().size()));
  }
  return nuggets::all_tasks();
}

bool Scoring::pass(std::span<const Row* const> rows, const std::vector<size_t>& which,
                   const nuggets::TaskTarget& target) {
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

bool Scoring::halve(std::span<const Row* const> rows) {
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

std::vector<size_t> Scoring::best(const std::vector<size_t>& of, size_t count) const {
  std::vector<nuggets::Candidate> candidates;
  for (const size_t index : of) candidates.push_back(candidate_of(results_[index].summary));
  std::vector<size_t> kept;
  for (const size_t place : nuggets::ranked(candidates)) {
    if (kept.size() < count) kept.push_back(of[place]);
  }
  std::ranges::sort(kept);
  return kept;
}

void Scoring::keep(Scored& scored, const Row& row, const RowScore& score) const {
  scored.summary = summarize(row, score);
  scored.gains.assign(scorer_.tasks().size(), std::numeric_limits<float>::quiet_NaN());
  scored.details.clear();
  scored.pairs = score.tasks() + score.left();
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

}  // namespace caravel::cli
