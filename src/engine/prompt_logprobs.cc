#include "engine/prompt_logprobs.h"

#include <algorithm>
#include <utility>

#include "engine/kv_slots.h"

namespace caravel::engine {

PromptLogprobs::PromptLogprobs(LogprobStore& store, std::span<const int32_t> prompt, int top)
    : store_(&store), top_(top), logprobs_(prompt.size()), slots_(prompt.size(), kNoSlot) {
  for (size_t i = 0; i < prompt.size(); ++i) logprobs_[i].token = prompt[i];
}

size_t PromptLogprobs::begin_of(int index) const {
  return std::min(static_cast<size_t>(index) * static_cast<size_t>(store_->block_size()), logprobs_.size());
}

int64_t PromptLogprobs::slot_in(cache::BlockId block, size_t position) const {
  return int64_t{block} * store_->block_size() + static_cast<int64_t>(position) % store_->block_size();
}

bool PromptLogprobs::usable(int index, cache::BlockId block) const {
  for (size_t position = begin_of(index); position < begin_of(index + 1); ++position) {
    if (!known(position) && !store_->has(slot_in(block, position), top_)) return false;
  }
  return true;
}

void PromptLogprobs::fetch(int index, cache::BlockId block) {
  for (size_t position = begin_of(index); position < begin_of(index + 1); ++position) {
    if (!known(position)) store_->get(slot_in(block, position), top_, logprobs_[position]);
  }
}

void PromptLogprobs::want(const scheduler::Row& row, int32_t place, Wanted wanted, StepWants& wants) {
  const auto end = static_cast<size_t>(row.first) + static_cast<size_t>(row.count);
  if (end < slots_.size()) slots_[end] = kNoSlot;
  for (int i = 0; i < row.count; ++i) {
    const auto position = static_cast<size_t>(row.first) + static_cast<size_t>(i);
    if (position >= logprobs_.size()) break;
    slots_[position] = kv_slot(row.sequence->kv, 0, row.first + i, store_->block_size());
    if (known(position)) keep(position);
    const size_t next = position + 1;  // a token's logits tell of the next one
    if (next >= logprobs_.size() || known(next)) continue;
    wanted.about.position = static_cast<int32_t>(next);
    wants.token(wanted, {.place = place + i, .token = logprobs_[next].token, .top = top_});
  }
}

void PromptLogprobs::apply(const About& about, const TokenOutput& token, const StepOutput& output) {
  const auto position = static_cast<size_t>(about.position);
  logprobs_[position] = token_logprob(token, output);
  // Right after the rows so far the token has no slot yet: it is kept when it is computed.
  if (slots_[position] != kNoSlot) keep(position);
}

void PromptLogprobs::keep(size_t position) const {
  if (position > 0) store_->put(slots_[position], logprobs_[position]);
}

std::vector<TokenLogprob> PromptLogprobs::take() {
  if (!logprobs_.empty()) logprobs_.erase(logprobs_.begin());
  return std::move(logprobs_);
}

}  // namespace caravel::engine
