#include "sampler/sampling_state.h"

#include <utility>

namespace caravel::sampler {

SamplingState::SamplingState(std::shared_ptr<const SamplingRules> rules, uint32_t index,
                             std::span<const int32_t> prompt)
    : rules_(std::move(rules)), index_(index), prompt_size_(static_cast<int64_t>(prompt.size())) {
  const size_t most = prompt.size() + static_cast<size_t>(rules_->max_tokens);
  tokens_.reserve(most);
  tokens_.assign(prompt.begin(), prompt.end());
  penalizes_ =
      rules_->repetition_penalty != 1.0F || rules_->presence_penalty != 0.0F || rules_->frequency_penalty != 0.0F;
  if (!penalizes_) return;
  counts_.reserve(most);
  if (rules_->repetition_penalty != 1.0F) counts_.add_prompt(prompt);
}

}  // namespace caravel::sampler
