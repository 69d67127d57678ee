#include "engine/embed_task.h"

#include <algorithm>
#include <functional>

namespace caravel::engine {
namespace {

/// Cached blocks hold keys and values, but not the states that are wanted.
class NothingUsable final : public cache::CachedBlockFilter {
 public:
  bool usable(int, cache::BlockId) const override { return false; }
  void fetch(int, cache::BlockId) override {}
};

NothingUsable nothing_usable;

}  // namespace

scheduler::GroupParams EmbedTask::group_params(const EmbedRequest& request) {
  return {.prompt = request.tokens,
          .max_tokens = static_cast<int>(request.tokens.size()),
          .priority = request.priority,
          .background = request.background,
          .filter = &nothing_usable};
}

void EmbedTask::want(const scheduler::Row& row, int32_t place, StepWants& wants) {
  // After a preemption the first ones come again.
  for (int i = std::max(0, asked_ - row.first); i < row.count; ++i) wants.state({this, {}}, place + i);
  asked_ = std::max(asked_, row.first + row.count);
}

void EmbedTask::apply_state(std::span<const float> state) {
  sum_.resize(state.size());
  std::ranges::transform(state, sum_, sum_.begin(), std::plus());
  ++done_;
}

int EmbedTask::advance(scheduler::Scheduler& scheduler) {
  if (done_ < group()->prompt_len()) return 0;
  scheduler.finish(group()->first());
  return 0;
}

void EmbedTask::close(FinishReason reason, const std::string& error) {
  if (reason == FinishReason::kNone) {
    std::vector<float> mean;
    mean.reserve(sum_.size());
    for (const double sum : sum_) mean.push_back(static_cast<float>(sum / done_));
    channel_->set_embedding(std::move(mean));
  }
  channel_->close(reason, reason == FinishReason::kCancelled ? kCancelledError : error,
                  {.prompt_tokens = group()->prompt_len()});
}

}  // namespace caravel::engine
