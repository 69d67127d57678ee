#pragma once

#include <string>
#include <vector>

#include "engine/checked_request.h"
#include "engine/repetition.h"
#include "engine/task.h"

namespace caravel::engine {

/// n answers to one prompt, each drawn by itself. The prompt is computed once; then its sequence is forked.
class GenerateTask final : public Task {
 public:
  explicit GenerateTask(CheckedRequest request);

  std::string_view request_id() const override { return request_.channel->id(); }
  bool cancelled() const override { return request_.channel->cancelled(); }
  void want(const scheduler::Row& row, int32_t place, StepWants& wants) override;
  void apply(const About& about, const TokenOutput& token, const StepOutput& output) override;
  int advance(scheduler::Scheduler& scheduler) override;
  void close(FinishReason reason, const std::string& error) override;

 private:
  struct Branch {
    int index;  // of the answer, and its sequence's part
    SamplerSlot sampler;
    OutputText text;
    scheduler::Sequence* sequence = nullptr;  // nullptr before the fork and after the end
    RepetitionWatch repetition;
    int tokens = 0;
    std::shared_ptr<grammar::Constraint> constraint;  // where the request has a grammar
    bool drew = false;                                // in this step: the following
    bool dead_end = false;                            // nothing could be drawn
    TokenLogprob drawn = {};
    FinishReason finish_reason = FinishReason::kNone;
  };

  /// Nothing can follow: ends the answer if it is whole. Throws Error if not.
  void end_constrained(Branch& branch);
  /// The drawn token joins the answer, and perhaps ends it.
  void accept(Branch& branch);
  void finish(Branch& branch, FinishReason reason, std::string_view stop_reason);
  void fork(scheduler::Scheduler& scheduler);

  CheckedRequest request_;
  std::vector<Branch> branches_;
  bool forked_ = false;
};

}  // namespace caravel::engine
