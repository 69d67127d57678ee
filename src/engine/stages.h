#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/executor.h"
#include "engine/rank.h"

namespace caravel::engine {

/// The stages of a pipeline on devices of this process, one after the other, with one step in flight: each begins when
/// the one before has handed on what it computed (comm/host_relay.h), so that a slow one, such as a CPU, waits for
/// none.
class Stages final : public Executor {
 public:
  /// In order; the last has the LM head.
  explicit Stages(std::vector<Rank*> ranks) : ranks_(std::move(ranks)) {}

  void launch(const StepInput& input) override;
  void wait_for_rows() override { ranks_.back()->wait_for_rows(); }
  void launch(const DrawInput& input) override;
  const StepOutput& collect() override;
  void rest() override { ranks_.back()->rest(); }
  void adopt_thread() override;
  std::span<const RegionTime> profile() const override { return ranks_.back()->profile(); }

 private:
  std::vector<Rank*> ranks_;
};

}  // namespace caravel::engine
