#include "engine/logprob_store.h"

#include <algorithm>

#include "engine/kv_slots.h"

namespace caravel::engine {

LogprobStore::LogprobStore(int blocks, int host_blocks, int block_size, int64_t max_top)
    : block_size_(block_size), max_top_(max_top) {
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
      keep(device_.tops[slot], {});
    }
  }
}

void LogprobStore::put(int64_t slot, const TokenLogprob& logprob) {
  device_.entries[static_cast<size_t>(slot)] = {logprob.logprob, logprob.rank};
  keep(device_.tops[static_cast<size_t>(slot)], logprob.top);
}

void LogprobStore::keep(std::vector<std::pair<int32_t, float>>& slot,
                        const std::vector<std::pair<int32_t, float>>& top) {
  const auto before = static_cast<int64_t>(slot.capacity());
  const auto after = static_cast<int64_t>(top.size());
  if (after == 0 || kept_top_ - before + after > max_top_) {
    std::vector<std::pair<int32_t, float>>().swap(slot);  // its memory, too
  } else if (after > before) {
    std::vector<std::pair<int32_t, float>>(top).swap(slot);
  } else {
    slot = top;
  }
  kept_top_ += static_cast<int64_t>(slot.capacity()) - before;
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
    for (int i = 0; i < block_size_; ++i)
      keep(to.tops[static_cast<size_t>(target + i)], from.tops[static_cast<size_t>(source + i)]);
  }
}

}  // namespace caravel::engine
