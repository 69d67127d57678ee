#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cache/block_pool.h"
#include "caravel/monitor.h"
#include "engine/task.h"
#include "scheduler/plan.h"

namespace caravel::engine {

/// The last steps, for those who watch. Always kept; one thread at a time; nothing is allocated by add().
class MonitorLog {
 public:
  static constexpr size_t kSteps = 512;

  void add(const StepReport& step) { steps_[added_++ % kSteps] = step; }
  /// Those of a higher number that are still here, in order.
  std::vector<StepReport> since(uint64_t number) const;

 private:
  std::array<StepReport, kSteps> steps_;
  uint64_t added_ = 0;
};

/// How the plan's tokens divide between prefill and decode; call it before the step counts as complete.
StepReport report_tokens(const scheduler::Plan& plan);

/// Every block of the pool, and the requests among `tasks` that hold some, in order of arrival.
struct BlockMap {
  std::vector<BlockReport> blocks;  // [blocks of the pool]; empty before the first look
  std::vector<EngineReport::Owner> owners;
};
void report_blocks(const cache::BlockPool& pool, std::span<const std::shared_ptr<Task>> tasks, BlockMap& map);

}  // namespace caravel::engine
