#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "caravel/request.h"
#include "engine/request_channel.h"
#include "engine/task.h"

namespace caravel::engine {

/// The mean of a prompt's last hidden states, summed over its chunks in order.
class EmbedTask final : public Task {
 public:
  static scheduler::GroupParams group_params(const EmbedRequest& request);

  EmbedTask(scheduler::GroupParams group, std::shared_ptr<RequestChannel> channel)
      : Task(std::move(group)), channel_(std::move(channel)) {}

  std::string_view request_id() const override { return channel_->id(); }
  bool cancelled() const override { return channel_->cancelled(); }
  void want(const scheduler::Row& row, int32_t place, StepWants& wants) override;
  void apply_state(std::span<const float> state) override;
  int advance(scheduler::Scheduler& scheduler) override;
  void close(FinishReason reason, const std::string& error) override;

 private:
  std::shared_ptr<RequestChannel> channel_;
  std::vector<double> sum_;  // [hidden_size]
  int asked_ = 0;            // tokens whose states were
  int done_ = 0;             // tokens that are in the sum
};

}  // namespace caravel::engine
