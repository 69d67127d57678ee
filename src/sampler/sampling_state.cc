#include "sampler/sampling_state.h"

#include <utility>

namespace caravel::sampler {

SamplingState::SamplingState(std::shared_ptr<const SamplingRules> rules, uint32_t index,
                             std::span<const int32_t> prompt)
    : rules_(std::move(rules)), index_(index), prompt_size_(static_cast<int64_t>(prompt.size())) {
  const SamplingParams& params = rules_->params;
  penalizes_ = params.repetition_penalty != 1.0F || params.presence_penalty != 0.0F || params.frequency_penalty != 0.0F;
  if (!penalizes_) return;
  counts_.reserve(prompt.size() + static_cast<size_t>(*params.max_tokens));
  if (params.repetition_penalty != 1.0F) counts_.add_prompt(prompt);
}

}  // namespace caravel::sampler
