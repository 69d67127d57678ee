#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/checked_request.h"
#include "engine/task.h"

namespace caravel::engine {

/// Beam search: the beam_width most likely answers so far go on, step by step. Which candidates are looked at, when an
/// answer counts as finished, and when the search ends are as in Hugging Face `transformers`, so that answers are the
/// same. Beams share the blocks of what they have in common.
class BeamTask final : public Task {
 public:
  explicit BeamTask(CheckedRequest request);

  /// The most likely tokens after a beam that a step must tell.
  static int candidates(const SamplingParams& params, size_t end_ids, int vocab_size);

  std::string_view request_id() const override { return request_.channel->id(); }
  bool cancelled() const override { return request_.channel->cancelled(); }
  void want(const scheduler::Row& row, int32_t place, StepWants& wants) override;
  void apply(const About& about, const TokenOutput& token, const StepOutput& output) override;
  int advance(scheduler::Scheduler& scheduler) override;
  void close(FinishReason reason, const std::string& error) override;

 private:
  struct Beam {
    scheduler::Sequence* sequence = nullptr;
    double score = 0;                    // sum of log-probabilities
    std::vector<TokenLogprob> logprobs;  // one for each token of its answer
    std::vector<TokenLogprob> next;      // candidates for the next token; empty: not told yet
  };
  struct Candidate {
    double score;
    size_t beam;
    const TokenLogprob* token;
  };
  struct Finished {
    double score;  // with the length penalty
    Completion completion;
  };

  std::vector<Candidate> best_candidates() const;
  void add_finished(const Candidate& candidate, bool stopped, double score);
  void go_on(scheduler::Scheduler& scheduler, const std::vector<Candidate>& chosen);

  CheckedRequest request_;
  int top_;  // candidates of a beam
  size_t width_;
  int generated_ = 0;  // tokens of every beam
  std::vector<std::unique_ptr<Beam>> beams_;
  std::vector<Finished> finished_;  // best first, at most width_
};

}  // namespace caravel::engine
