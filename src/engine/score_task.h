#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "caravel/request.h"
#include "engine/request_channel.h"
#include "engine/task.h"

namespace caravel::engine {

/// Log-probabilities of continuations of one prefix. The prefix is computed once and stays; continuations are forked
/// off it in waves, as many as may run at once, and the last one takes the prefix's own sequence.
class ScoreTask final : public Task {
 public:
  /// Which of a request's scores a task gives: those of `continuations`, the first of which is number `first` of its
  /// prefix.
  struct Part {
    size_t prefix = 0;
    size_t first = 0;
    std::span<const std::vector<int32_t>> continuations;
    std::span<const int> given;  // [continuation]; empty: none
  };
  static scheduler::GroupParams group_params(const ScoreRequest& request, const Part& part, int max_sequences);

  ScoreTask(scheduler::GroupParams group, const Part& part, std::shared_ptr<RequestChannel> channel);

  std::string_view request_id() const override { return channel_->id(); }
  bool cancelled() const override { return channel_->cancelled(); }
  void want(const scheduler::Row& row, int32_t place, StepWants& wants) override;
  void apply(const About& about, const TokenOutput& token, const StepOutput& output) override;
  int advance(scheduler::Scheduler& scheduler) override;
  void close(FinishReason reason, const std::string& error) override;

 private:
  struct Continuation {
    scheduler::Sequence* sequence = nullptr;
    std::vector<int32_t> tokens;
    size_t given = 0;                    // of tokens, the first ones that are not scored
    std::vector<TokenLogprob> logprobs;  // of the others; rank 0: not known yet
    size_t known = 0;
  };

  void start_waiting(scheduler::Scheduler& scheduler);
  std::vector<Score> scores() const;

  const size_t prefix_;
  const size_t first_;
  std::shared_ptr<RequestChannel> channel_;
  std::vector<Continuation> continuations_;
  std::vector<size_t> waiting_;  // continuations of more than one token that are not forked yet, the next at the back
  bool prefix_done_ = false;
  bool prefix_taken_ = false;  // its sequence is finished, or is a continuation's
};

}  // namespace caravel::engine
