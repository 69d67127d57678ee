#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sampler/sampling_rules.h"
#include "sampler/token_counts.h"

namespace caravel::sampler {

/// What drawing for one sequence needs to know of it. A copy goes on alone.
class SamplingState {
 public:
  /// `index`: which of the request's sequences; its randomness is its own.
  SamplingState(std::shared_ptr<const SamplingRules> rules, uint32_t index, std::span<const int32_t> prompt);

  const SamplingRules& rules() const { return *rules_; }
  uint32_t index() const { return index_; }
  /// The prompt, then the output.
  std::span<const int32_t> tokens() const { return tokens_; }
  int64_t output_size() const { return static_cast<int64_t>(tokens_.size()) - prompt_size_; }
  /// Empty unless a penalty is in use.
  const TokenCounts& counts() const { return counts_; }

  /// `token` was drawn and has joined the output.
  void append(int32_t token) {
    tokens_.push_back(token);
    if (penalizes_) counts_.add_output(token);
  }

 private:
  std::shared_ptr<const SamplingRules> rules_;
  uint32_t index_;
  int64_t prompt_size_;
  bool penalizes_;
  std::vector<int32_t> tokens_;
  TokenCounts counts_;
};

}  // namespace caravel::sampler
