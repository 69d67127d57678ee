#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cache/kv_manager.h"
#include "caravel/result.h"
#include "engine/logprob_store.h"
#include "engine/step_wants.h"
#include "scheduler/plan.h"

namespace caravel::engine {

/// The log-probabilities of one prompt's tokens, gathered from what cached blocks keep and from the steps that compute
/// the rest, which are kept beside their blocks in turn. What is known stays known when the request is preempted.
class PromptLogprobs final : public cache::CachedBlockFilter {
 public:
  /// top: of the most likely ones, at most the vocabulary's size.
  PromptLogprobs(LogprobStore& store, std::span<const int32_t> prompt, int top);

  /// Whether it has those of its tokens' log-probabilities that are not known yet.
  bool usable(int index, cache::BlockId block) const override;
  void fetch(int index, cache::BlockId block) override;

  /// Asks for what `row` can tell, and keeps what is known of its tokens beside them.
  /// wanted: whose it is; the position is filled in.
  void want(const scheduler::Row& row, int32_t place, Wanted wanted, StepWants& wants);
  void apply(const About& about, const TokenOutput& token, const StepOutput& output);

  /// One for each prompt token but the first; those that are not known have rank 0.
  std::vector<TokenLogprob> take();

 private:
  static constexpr int64_t kNoSlot = -1;

  /// Where the prompt's block `index` begins; at the end of the prompt where there is none.
  size_t begin_of(int index) const;
  int64_t slot_in(cache::BlockId block, size_t position) const;
  bool known(size_t position) const { return position == 0 || logprobs_[position].rank != 0; }
  void keep(size_t position) const;

  LogprobStore* store_;
  int top_;
  std::vector<TokenLogprob> logprobs_;  // [prompt]
  std::vector<int64_t> slots_;          // [prompt]: where rows put its tokens; none right behind the newest row's
};

}  // namespace caravel::engine
