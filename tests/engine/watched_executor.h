#pragma once

#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "engine/engine_impl.h"

namespace caravel::engine {

/// Carries steps out as another does, and shows each beforehand, on the engine's thread; what `before` throws counts as
/// the step's own.
class WatchedExecutor final : public Executor {
 public:
  using Before = std::function<void(const StepInput&)>;

  WatchedExecutor(Executor& rank, Before before) : rank_(rank), before_(std::move(before)) {}

  void launch(const StepInput& input) override {
    before_(input);
    rank_.launch(input);
  }
  void wait_for_rows() override { rank_.wait_for_rows(); }
  void launch(const DrawInput& input) override { rank_.launch(input); }
  const StepOutput& collect() override { return rank_.collect(); }
  void rest() override { rank_.rest(); }
  void adopt_thread() override { rank_.adopt_thread(); }
  std::span<const RegionTime> profile() const override { return rank_.profile(); }

 private:
  Executor& rank_;
  const Before before_;
};

inline EngineHooks watching(WatchedExecutor::Before before) {
  return {.executor = [before = std::move(before)](Executor& rank) {
    return std::make_unique<WatchedExecutor>(rank, before);
  }};
}

}  // namespace caravel::engine
