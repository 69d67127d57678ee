#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <span>

#include "caravel/engine.h"
#include "nuggets/row.h"
#include "nuggets/score_store.h"
#include "nuggets/shot_template.h"

namespace caravel::nuggets {

/// What others select data by, of one row; means over its turns.
struct Baselines {
  double perplexity = 0;  // of the answer after its question
  /// The same over the answer's perplexity without its question (instruction-following difficulty: Li et al., "From
  /// Quantity to Quality", NAACL 2024). Nothing: the model has no token that begins a text.
  std::optional<double> ifd;
  double answer_tokens = 0;
};

/// Tells of each row, in order; nothing of one whose question and answer exceed the context. False: it was stopped.
/// Throws Error with the engine's reason, and as the store does.
bool score_answers(Engine& engine, const ShotTemplate& shots, ScoreStore& store, std::span<const Row* const> rows,
                   const std::atomic<bool>& stop,
                   const std::function<void(size_t index, const std::optional<Baselines>&)>& on_done);

}  // namespace caravel::nuggets
