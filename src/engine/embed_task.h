#pragma once

#include <future>
#include <span>
#include <string>
#include <vector>

#include "engine/task.h"

namespace caravel::engine {

/// The mean of a prompt's last hidden states, summed over its chunks in order.
class EmbedTask final : public Task {
 public:
  explicit EmbedTask(std::span<const int32_t> tokens);

  std::future<std::vector<float>> result() { return result_.get_future(); }

  void want(const scheduler::Row& row, int32_t first, StepWants& wants) override;
  void receive(const LogitsWant&, const sampler::Sampler&, size_t) override {}
  void receive_hidden(std::span<const float> hidden) override;
  int advance(scheduler::Scheduler& scheduler) override;
  void close(FinishReason reason, const std::string& error) override;

  static scheduler::GroupParams group_params(std::span<const int32_t> tokens);

 private:
  std::vector<double> sum_;  // [hidden_size]
  int done_ = 0;             // tokens that are in it
  std::promise<std::vector<float>> result_;
};

}  // namespace caravel::engine
