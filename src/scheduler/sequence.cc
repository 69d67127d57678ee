#include "scheduler/sequence.h"

#include <algorithm>
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

int Sequence::expected_size() const {
  const int size = static_cast<int>(tokens.size());
  const GroupParams& params = group->params();
  // The draws at the end of a prompt are for as many sequences as there will be.
  const bool alone = params.max_sequences == 1 || draws_planned > prompt_len;
  if (!params.feeds_itself || !alone || draws_planned < size) return size;
  return std::min(draws_planned + 1, params.max_tokens);
}

}  // namespace caravel::scheduler
