#include "engine/monitor_log.h"

#include <algorithm>

namespace caravel::engine {

std::vector<StepReport> MonitorLog::since(uint64_t number) const {
  const uint64_t kept = std::min<uint64_t>(added_, kSteps);
  std::vector<StepReport> steps;
  for (uint64_t i = added_ - kept; i < added_; ++i) {
    const StepReport& step = steps_[i % kSteps];
    if (step.number > number) steps.push_back(step);
  }
  return steps;
}

StepReport report_tokens(const scheduler::Plan& plan) {
  StepReport step{.number = plan.step};
  for (const scheduler::Row& row : plan.rows) {
    const bool decodes = row.draws && row.count == 1 && row.first >= row.sequence->prompt_len;
    (decodes ? step.decode_tokens : step.prefill_tokens) += row.count;
  }
  return step;
}

void report_blocks(const cache::BlockPool& pool, std::span<const std::shared_ptr<Task>> tasks, BlockMap& map) {
  map.blocks.resize(static_cast<size_t>(pool.size()));
  for (cache::BlockId i = 0; i < pool.size(); ++i) {
    map.blocks[static_cast<size_t>(i)] = {.references = pool.references(i), .cached = pool.hashed(i)};
  }
  map.owners.clear();
  for (const std::shared_ptr<Task>& task : tasks) {  // in order of arrival
    const auto number = static_cast<int64_t>(task->group()->arrival());
    bool holds = false;
    for (const auto& sequence : task->group()->sequences()) {
      if (sequence->kv.on_host) continue;
      for (const cache::BlockTable& table : sequence->kv.tables) {
        for (int i = table.begin(); i < table.size(); ++i) {
          BlockReport& block = map.blocks[static_cast<size_t>(table[i])];
          if (block.owner < 0) block.owner = number;
          holds = true;
        }
      }
    }
    if (holds) map.owners.push_back({.number = number, .id = std::string(task->request_id())});
  }
}

}  // namespace caravel::engine
