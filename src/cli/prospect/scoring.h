#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "caravel/engine.h"
#include "chat/renderer.h"
#include "cli/interrupt.h"
#include "nuggets/candidate_score.h"
#include "nuggets/row.h"
#include "nuggets/score_store.h"
#include "nuggets/shot_scorer.h"
#include "nuggets/shot_template.h"
#include "nuggets/stopping.h"

namespace caravel::cli {

/// How candidates are scored, as flags.
struct ScoringOptions {
  EngineConfig engine;
  std::string shot_template;  // alpaca, chat or a file; empty: chat where the model has a template
  bool original = false;
  uint64_t seed = 1;
  std::optional<double> decide;  // a threshold
  std::optional<double> race;    // a threshold
  double risk = 0.05;            // of the race
  int64_t halving = 0;           // so many are wanted; 0: no halving
  std::string sieve;             // a model; empty: none
  std::string sieve_keep = "50%";
  std::string shard;  // "0/4"; empty: all rows
  std::string store;  // empty: in the run's folder
  bool estimate = false;
  bool details = false;
  bool baselines = true;

  void add_to(CLI::App& command);
};

/// The template that is meant: "chat", "alpaca", or a file's name.
std::string template_name(const ScoringOptions& options, const ModelInfo& model);

/// What a row's score becomes.
struct Scored {
  nuggets::CandidateScore summary;
  std::vector<float> gains;  // [tasks], of several turns the mean; NaN: not scored
  std::string details;       // lines of details.jsonl, where they are asked for
  int64_t pairs = 0;         // that all of it would be, whatever was decided early
};

/// One model that scores rows, and says on stderr how far it is.
class Scoring {
 public:
  /// Opens the model and the store. options and guard outlive it. Throws as Engine::open(), ScoreStore and ShotScorer
  /// do.
  Scoring(const EngineConfig& config, const ScoringOptions& options, const std::string& store,
          std::span<const nuggets::Row> tasks, const InterruptGuard& guard);

  /// By the options' rule. False: interrupted.
  bool score(std::span<const nuggets::Row* const> rows);
  /// Adds what others select by to the results. False: interrupted.
  bool score_answers(std::span<const nuggets::Row* const> rows);
  std::vector<Scored>& results() { return results_; }  // by row

  /// Tokens that all of it takes at most, what stands in the store included.
  double tokens_of(std::span<const nuggets::Row* const> rows) const;
  /// What the engine computes in a second, by scoring the first rows for some seconds, which stand in the store then.
  /// Nothing: it was interrupted, or all of them stood there already.
  std::optional<double> tokens_a_second(std::span<const nuggets::Row* const> rows);

  const nuggets::ShotScorer& scorer() const { return scorer_; }
  /// What makes the model's numbers beside its weights: types of weights, keys and values, and the instruction set.
  const std::string& arithmetic() const { return arithmetic_; }
  const Engine& engine() const { return *engine_; }

 private:
  nuggets::TaskTarget target() const;
  /// Scores those of the rows that `which` names.
  bool pass(std::span<const nuggets::Row* const> rows, const std::vector<size_t>& which,
            const nuggets::TaskTarget& target);
  bool halve(std::span<const nuggets::Row* const> rows);
  /// The best `count` of some rows, in their order.
  std::vector<size_t> best(const std::vector<size_t>& of, size_t count) const;
  void keep(Scored& scored, const nuggets::Row& row, const nuggets::RowScore& score) const;

  const ScoringOptions& options_;
  const InterruptGuard& guard_;
  const std::string arithmetic_;
  std::unique_ptr<Engine> engine_;
  chat::Renderer renderer_;
  std::unique_ptr<nuggets::ShotTemplate> shots_;
  nuggets::ScoreStore store_;
  nuggets::ShotScorer scorer_;
  std::vector<Scored> results_;
};

}  // namespace caravel::cli
