#include "sampler/logit_edits.h"

#include <limits>

namespace caravel::sampler {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

}  // namespace

void LogitEdits::apply(const SamplingState& state, std::span<float> logits) {
  const SamplingRules& rules = state.rules();
  rules.bad_words.completing(state.tokens(), [&](int32_t token) { set(logits, token, kNever); });
  if (state.output_size() < rules.min_tokens) {
    for (const int32_t id : rules.end_ids) set(logits, id, kNever);
  }
  for (const auto& [token, bias] : rules.logit_bias) set(logits, token, logits[static_cast<size_t>(token)] + bias);
  for (const auto& [token, in_output] : state.counts().entries()) {
    float logit = logits[static_cast<size_t>(token)];
    // Keskar et al. 2019, "CTRL", section 4.1; a negative logit is multiplied, so that it sinks too.
    logit = logit > 0 ? logit / rules.repetition_penalty : logit * rules.repetition_penalty;
    if (in_output > 0) logit -= rules.presence_penalty + rules.frequency_penalty * static_cast<float>(in_output);
    set(logits, token, logit);
  }
}

void LogitEdits::revert(std::span<float> logits) {
  // Backwards, since a token may have been changed more than once.
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) logits[static_cast<size_t>(undo->token)] = undo->logit;
  undo_.clear();
}

}  // namespace caravel::sampler
