#pragma once

#include <string>
#include <utility>
#include <vector>

#include "caravel/engine.h"

namespace caravel::chat {

/// A handle that gives the deltas that a test made up, and the result that they add up to.
class ScriptedHandle final : public RequestHandle {
 public:
  explicit ScriptedHandle(std::vector<Delta> deltas) : deltas_(std::move(deltas)) {
    for (const Delta& delta : deltas_) {
      const auto index = static_cast<size_t>(delta.index);
      if (result_.completions.size() <= index) result_.completions.resize(index + 1);
      Completion& completion = result_.completions[index];
      completion.index = delta.index;
      completion.text += delta.text;
      completion.token_ids.insert(completion.token_ids.end(), delta.token_ids.begin(), delta.token_ids.end());
      completion.logprobs.insert(completion.logprobs.end(), delta.logprobs.begin(), delta.logprobs.end());
      completion.finish_reason = delta.finish_reason;
      completion.stop_reason = delta.stop_reason;
    }
  }

  const std::string& id() const override { return result_.id; }
  Next next(Deadline) override {
    if (next_ == deltas_.size()) return {.kind = Next::Kind::kEnded, .delta = {}};
    return {.kind = Next::Kind::kDelta, .delta = deltas_[next_++]};
  }
  const Result& result() override { return result_; }
  void cancel() override {}

 private:
  std::vector<Delta> deltas_;
  size_t next_ = 0;
  Result result_;
};

}  // namespace caravel::chat
