#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sampler/sampling_state.h"

namespace caravel::sampler {

/// The passes that change few logits (bad words, min_tokens, bias, penalties), made in place and taken back after the
/// draw: the model's own logits need no copy. One row at a time.
class LogitEdits {
 public:
  explicit LogitEdits(size_t vocab_size) { undo_.reserve(vocab_size); }

  /// Changes `logits` [vocab] as `state` asks. Takes back nothing by itself.
  void apply(const SamplingState& state, std::span<float> logits);
  /// The logits as they were before apply().
  void revert(std::span<float> logits);
  bool empty() const { return undo_.empty(); }

 private:
  void set(std::span<float> logits, int32_t token, float value) {
    float& logit = logits[static_cast<size_t>(token)];
    undo_.push_back({token, logit});
    logit = value;
  }

  struct Undo {
    int32_t token;
    float logit;
  };
  std::vector<Undo> undo_;
};

}  // namespace caravel::sampler
