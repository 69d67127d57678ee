#pragma once

#include <string>
#include <vector>

#include "engine/generation.h"
#include "engine/task.h"

namespace caravel::engine {

/// n answers to one prompt, each drawn by itself. The prompt is computed once; then its sequence is forked.
class GenerateTask final : public Task {
 public:
  explicit GenerateTask(Generation generation);

  std::string_view request_id() const override { return generation_.channel->id(); }
  bool cancelled() const override { return generation_.channel->cancelled(); }
  void want(const scheduler::Row& row, int32_t first, StepWants& wants) override;
  void receive(const LogitsWant& want, const sampler::Sampler& sampler, size_t row) override;
  int advance(scheduler::Scheduler& scheduler) override;
  void close(FinishReason reason, const std::string& error) override;

 private:
  struct Answer {
    Member member;
    sampler::SamplingState state;
    OutputText text;
    scheduler::Sequence* sequence = nullptr;  // nullptr before the fork and after the end
    int tokens = 0;
    std::shared_ptr<grammar::Constraint> constraint;  // where the request has a grammar
    bool drew = false;                                         // in this step: the following
    bool dead_end = false;                                     // nothing could be drawn
    TokenLogprob drawn = {};
    FinishReason finish_reason = FinishReason::kNone;
  };

  /// Nothing can follow: ends the answer if it is whole. Throws Error if not.
  void end_constrained(Answer& answer);
  /// The drawn token joins the answer, and perhaps ends it.
  void accept(Answer& answer);
  void finish(Answer& answer, FinishReason reason, std::string_view stop_reason);
  void fork(scheduler::Scheduler& scheduler);

  Generation generation_;
  std::vector<Answer> answers_;
  bool prompt_done_ = false;
  bool forked_ = false;
};

}  // namespace caravel::engine
