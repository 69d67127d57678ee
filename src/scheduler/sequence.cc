#include "scheduler/sequence.h"

#include <utility>

#include "base/error.h"

namespace caravel::scheduler {

SequenceGroup::SequenceGroup(GroupParams params)
    : params_(std::move(params)), prompt_len_(static_cast<int>(params_.prompt.size())) {
  if (prompt_len_ == 0 || params_.max_tokens < prompt_len_ || params_.max_sequences < 1) {
    throw fail<InvalidArgument>(
        "a prompt of {} tokens in at most {} tokens and {} sequences: give at least one token and one sequence, and no "
        "fewer tokens than the prompt has",
        prompt_len_, params_.max_tokens, params_.max_sequences);
  }
}

}  // namespace caravel::scheduler
