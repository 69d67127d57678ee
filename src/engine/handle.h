#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "caravel/engine.h"
#include "engine/request_channel.h"

namespace caravel::engine {

/// What a caller holds of a request that runs.
class Handle final : public RequestHandle {
 public:
  /// poke: tells the engine's thread that a request may have been cancelled; it may be called when the engine has gone.
  /// held: what the request's rows of log-probabilities may take.
  Handle(std::shared_ptr<RequestChannel> channel, std::function<void()> poke, Budget::Part held = {})
      : channel_(std::move(channel)), poke_(std::move(poke)), held_(std::move(held)) {}
  ~Handle() override {
    channel_->detach();
    cancel();
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  const std::string& id() const override { return channel_->id(); }
  Next next(Deadline deadline) override { return channel_->next(deadline); }
  const Result& result() override { return channel_->result(); }
  std::vector<std::string> schema_annotations() const override { return channel_->schema_annotations(); }
  void cancel() override {
    channel_->cancel();
    poke_();
  }

 private:
  std::shared_ptr<RequestChannel> channel_;
  std::function<void()> poke_;
  Budget::Part held_;
};

/// Numbers an engine's requests. Any thread.
class RequestNumbers {
 public:
  /// Of a new request; gives `id` a name where the caller gave none.
  uint64_t number(std::string& id) {
    const uint64_t number = requests_.fetch_add(1);
    if (id.empty()) id = "request-" + std::to_string(number + 1);
    return number;
  }

 private:
  std::atomic<uint64_t> requests_{0};
};

}  // namespace caravel::engine
