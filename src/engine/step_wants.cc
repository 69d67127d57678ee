#include "engine/step_wants.h"

namespace caravel::engine {

void StepWants::draw(const Wanted& wanted, int32_t place, SamplerSlot& sampler, std::span<const int32_t> prompt,
                     grammar::TokenMask* mask, int top) {
  if (!sampler.begun()) {
    sampler.begin(samplers_);
    if (rules_ != sampler.rules().get() || prompt_.data() != prompt.data()) {
      rules_ = sampler.rules().get();
      prompt_ = prompt;
      draws_.rules.push_back(*rules_);
      draws_.prompts.insert(draws_.prompts.end(), prompt.begin(), prompt.end());
    }
    draws_.begins.push_back({.slot = sampler.slot(),
                             .rules = static_cast<int32_t>(draws_.rules.size()) - 1,
                             .index = sampler.index(),
                             .prompt_begin = static_cast<int32_t>(draws_.prompts.size() - prompt.size()),
                             .prompt_size = static_cast<int32_t>(prompt.size())});
  }
  planned_.push_back({.wanted = wanted, .draw = {.place = place, .sampler = sampler.slot(), .top = top}, .mask = mask});
}

void StepWants::clear() {
  tokens_.clear();
  states_.clear();
  planned_.clear();
  rules_ = nullptr;
  prompt_ = {};
}

}  // namespace caravel::engine
