#include "engine/embed_task.h"

#include <algorithm>

#include "base/error.h"

namespace caravel::engine {
namespace {

/// Cached blocks hold keys and values, but not the states that are wanted.
class NothingUsable final : public cache::CachedBlockFilter {
 public:
  bool usable(int, cache::BlockId) override { return false; }
};

NothingUsable nothing_usable;

}  // namespace

scheduler::GroupParams EmbedTask::group_params(std::span<const int32_t> tokens) {
  return {.prompt = {tokens.begin(), tokens.end()},
          .max_tokens = static_cast<int>(tokens.size()),
          .filter = &nothing_usable};
}

EmbedTask::EmbedTask(std::span<const int32_t> tokens) : Task(group_params(tokens)) {}

void EmbedTask::want(const scheduler::Row& row, int32_t first, StepWants& wants) {
  // After a preemption the first ones come again.
  for (int i = std::max(0, done_ - row.first); i < row.count; ++i) wants.hidden.push_back({first + i, this});
}

void EmbedTask::receive_hidden(std::span<const float> hidden) {
  sum_.resize(hidden.size());
  std::ranges::transform(hidden, sum_, sum_.begin(), std::plus());
  ++done_;
}

int EmbedTask::advance(scheduler::Scheduler& scheduler) {
  if (done_ < group()->prompt_len()) return 0;
  scheduler.finish(group()->first());
  return 0;
}

void EmbedTask::close(FinishReason reason, const std::string& error) {
  if (reason != FinishReason::kNone) {
    result_.set_exception(std::make_exception_ptr(Error(error.empty() ? "the engine was closed" : error)));
    return;
  }
  std::vector<float> mean;
  mean.reserve(sum_.size());
  for (const double sum : sum_) mean.push_back(static_cast<float>(sum / done_));
  result_.set_value(std::move(mean));
}

}  // namespace caravel::engine
