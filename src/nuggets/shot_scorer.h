#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "caravel/engine.h"
#include "nuggets/row.h"
#include "nuggets/row_score.h"
#include "nuggets/score_store.h"
#include "nuggets/shot_template.h"

namespace caravel::nuggets {

/// One task as the scorer knows it.
struct ScoredTask {
  std::string id;
  std::string problem;  // not empty: why nothing is scored on it
  TaskTokens tokens;
  Hash128 content = {};  // of what is said: a candidate that says the same, or in which that is said, is not scored on
                         // it
  int64_t stored = 0;    // ScoreStore::continuation() of question and answer
  double zero_shot = 0;  // mean log-probability of the answer's tokens
};

/// Golden scores by an engine: one-shot against zero-shot log-probabilities. A candidate is computed once, and the
/// tasks are continuations of it; several rows are in work at once, so that the engine's steps are full. One thread at
/// a time.
class ShotScorer {
 public:
  struct Options {
    uint64_t seed = 1;              // of the order of the tasks
    const std::atomic<bool>* stop;  // set: what runs ends soon
  };

  /// All of them outlive it. Each turn of `tasks` is a task.
  ShotScorer(Engine& engine, const ShotTemplate& shots, ScoreStore& store, std::span<const Row> tasks,
             const Options& options);

  /// The tasks' zero-shot scores, which come before any golden score. False: it was stopped. Throws InvalidArgument
  /// where no task can be scored, Error with the engine's reason, and as the store does.
  bool score_tasks();
  const std::vector<ScoredTask>& tasks() const { return tasks_; }

  /// Scores rows, each until `target` says that it is done. on_done is told of each as it ends, `index` being its
  /// number in `rows`. False: it was stopped. Throws as score_tasks() does, and what `on_done` throws.
  bool score_rows(std::span<const Row* const> rows, const TaskTarget& target,
                  const std::function<void(size_t index, RowScore score)>& on_done);

  /// Pairs of candidate and task that the engine computed, of all calls; others stood in the store.
  int64_t computed_pairs() const { return computed_; }

 private:
  struct Work;

  ScoredTask make_task(const Row& row, size_t turn) const;
  /// nullptr: it was stopped.
  std::unique_ptr<Work> begin(size_t index, const Row& row);
  bool advance(Work& work, const TaskTarget& target);
  void receive(Work& work);

  Engine& engine_;
  const ShotTemplate& shots_;
  ScoreStore& store_;
  const Options options_;
  std::vector<ScoredTask> tasks_;
  std::vector<int> order_;  // of the tasks that can be scored
  int64_t computed_ = 0;
};

}  // namespace caravel::nuggets
