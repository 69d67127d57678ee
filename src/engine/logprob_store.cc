#include "engine/logprob_store.h"

#include <algorithm>

#include "engine/kv_slots.h"

namespace caravel::engine {

LogprobStore::LogprobStore(int blocks, int host_blocks, int block_size) : block_size_(block_size) {
  const auto resize = [block_size](Side& side, int count) {
    side.entries.resize(static_cast<size_t>(count) * static_cast<size_t>(block_size));
    side.tops.resize(side.entries.size());
  };
  resize(device_, blocks);
  resize(host_, host_blocks);
}

void LogprobStore::begin_step(const scheduler::Plan& plan) {
  copy(device_, host_, plan.swap_outs);
  copy(host_, device_, plan.swap_ins);
  copy(device_, device_, plan.copies);
  for (const scheduler::Row& row : plan.rows) {
    for (int position = row.first; position < row.first + row.count; ++position) {
      const auto slot = static_cast<size_t>(kv_slot(row.sequence->kv, 0, position, block_size_));
      device_.entries[slot].rank = 0;
      device_.tops[slot].clear();
    }
  }
}

void LogprobStore::put(int64_t slot, const TokenLogprob& logprob) {
  device_.entries[static_cast<size_t>(slot)] = {logprob.logprob, logprob.rank};
  device_.tops[static_cast<size_t>(slot)] = logprob.top;
}

bool LogprobStore::get(int64_t slot, int top, TokenLogprob& result) const {
  const Entry& entry = device_.entries[static_cast<size_t>(slot)];
  const auto& tops = device_.tops[static_cast<size_t>(slot)];
  if (entry.rank == 0 || tops.size() < static_cast<size_t>(top)) return false;
  result.logprob = entry.logprob;
  result.rank = entry.rank;
  result.top.assign(tops.begin(), tops.begin() + top);
  return true;
}

void LogprobStore::copy(const Side& from, Side& to, std::span<const BlockCopy> copies) {
  for (const BlockCopy& copy : copies) {
    const auto source = static_cast<ptrdiff_t>(copy.from) * block_size_;
    const auto target = static_cast<ptrdiff_t>(copy.to) * block_size_;
    std::copy_n(from.entries.begin() + source, block_size_, to.entries.begin() + target);
    std::copy_n(from.tops.begin() + source, block_size_, to.tops.begin() + target);
  }
}

}  // namespace caravel::engine
