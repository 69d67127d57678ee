#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "caravel/request.h"
#include "sampler/bad_words.h"
#include "sampler/token_counts.h"

namespace caravel::sampler {

/// What all sequences of a request share, texts already turned into ids. Immutable.
struct SamplingRules {
  SamplingParams params;  // resolved and validated
  uint64_t seed = 0;
  std::vector<int32_t> end_ids;  // may not be drawn before params.min_tokens
  BadWords bad_words;
};

/// What drawing for one sequence needs to know of it. A copy goes on alone.
class SamplingState {
 public:
  /// `index`: which of the request's sequences; its randomness is its own.
  SamplingState(std::shared_ptr<const SamplingRules> rules, uint32_t index, std::span<const int32_t> prompt);

  const SamplingRules& rules() const { return *rules_; }
  uint32_t index() const { return index_; }
  int64_t prompt_size() const { return prompt_size_; }
  /// Empty unless a penalty is in use.
  const TokenCounts& counts() const { return counts_; }

  /// `token` was drawn and has joined the output.
  void append(int32_t token) {
    if (penalizes_) counts_.add_output(token);
  }

 private:
  std::shared_ptr<const SamplingRules> rules_;
  uint32_t index_;
  int64_t prompt_size_;
  bool penalizes_;
  TokenCounts counts_;
};

}  // namespace caravel::sampler
