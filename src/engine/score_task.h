#pragma once

#include <future>
#include <string>
#include <vector>

#include "caravel/request.h"
#include "caravel/result.h"
#include "engine/task.h"

namespace caravel::engine {

/// Log-probabilities of continuations of one prefix. The prefix is computed once and stays; continuations are forked
/// off it in waves, as many as may run at once, and the last one takes the prefix's own sequence.
class ScoreTask final : public Task {
 public:
  ScoreTask(ScoreRequest request, int max_sequences);

  std::future<std::vector<Score>> result() { return result_.get_future(); }

  void want(const scheduler::Row& row, int32_t first, StepWants& wants) override;
  void receive(const LogitsWant& want, const sampler::Sampler& sampler, size_t row) override;
  int advance(scheduler::Scheduler& scheduler) override;
  void close(FinishReason reason, const std::string& error) override;

  static scheduler::GroupParams group_params(const ScoreRequest& request, int max_sequences);

 private:
  struct Continuation {
    Member member;
    scheduler::Sequence* sequence = nullptr;
    std::vector<TokenLogprob> logprobs;  // rank 0: not known yet
    size_t known = 0;
  };

  void start_waiting(scheduler::Scheduler& scheduler);

  ScoreRequest request_;
  std::vector<Continuation> continuations_;
  std::vector<size_t> waiting_;  // continuations of more than one token that are not forked yet, the next at the back
  bool prefix_done_ = false;
  bool prefix_taken_ = false;  // its sequence is finished, or is a continuation's
  std::promise<std::vector<Score>> result_;
};

}  // namespace caravel::engine
