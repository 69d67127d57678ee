#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "caravel/request.h"
#include "caravel/result.h"

namespace caravel::cli {

/// Scores of continuations that are longer, with their prefixes, than what the engine computes at once: each such
/// continuation in windows (cli/text_windows.h's sliding ones), of which every one predicts the tokens that are new in
/// it. All others are scored whole.
class WindowedScore {
 public:
  /// size: tokens of a window; stride: 1 to size - 1, so that each token has at least size - stride before it.
  WindowedScore(const std::vector<ScoreRequest::Item>& items, size_t size, size_t stride);

  /// What is to be scored in the place of the items.
  const std::vector<ScoreRequest::Item>& items() const { return items_; }
  /// The scores of the original items, [item][continuation], from those of items().
  std::vector<std::vector<Score>> join(const std::vector<std::vector<Score>>& scores) const;

 private:
  std::vector<ScoreRequest::Item> items_;
  std::vector<std::vector<std::pair<size_t, size_t>>> origins_;  // of each of items_' continuations: item, continuation
  std::vector<size_t> continuations_;                            // how many each original item has
};

}  // namespace caravel::cli
