#include "engine/logprob_store.h"

#include "base/check.h"
#include "engine/kv_slots.h"

namespace caravel::engine {

LogprobStore::LogprobStore(int blocks, int host_blocks, int block_size, int64_t max_top)
    : block_size_(block_size),
      max_top_(max_top),
      device_(static_cast<size_t>(blocks)),
      host_(static_cast<size_t>(host_blocks)) {}

void LogprobStore::begin_step(const scheduler::Plan& plan) {
  copy(device_, host_, plan.swap_outs);
  copy(host_, device_, plan.swap_ins);
  copy(device_, device_, plan.copies);
  for (const scheduler::Row& row : plan.rows) {
    for (int position = row.first; position < row.first + row.count; ++position) {
      const int64_t slot = kv_slot(row.sequence->kv, 0, position, block_size_);
      Block& block = device_[static_cast<size_t>(slot / block_size_)];
      if (!block.empty()) forget(entry_of(block, slot));
    }
  }
}

void LogprobStore::put(int64_t slot, const TokenLogprob& logprob) {
  Block& block = device_[static_cast<size_t>(slot / block_size_)];
  block.resize(static_cast<size_t>(block_size_));
  Entry& entry = entry_of(block, slot);
  entry.logprob = logprob.logprob;
  entry.rank = logprob.rank;
  keep(entry.top, logprob.top);
}

bool LogprobStore::has(int64_t slot, int top) const {
  const Block& block = device_[static_cast<size_t>(slot / block_size_)];
  if (block.empty()) return false;
  const Entry& entry = block[static_cast<size_t>(slot % block_size_)];
  return entry.rank != 0 && entry.top.size() >= static_cast<size_t>(top);
}

void LogprobStore::get(int64_t slot, int top, TokenLogprob& result) const {
  CARAVEL_CHECK(has(slot, top));
  const Entry& entry = device_[static_cast<size_t>(slot / block_size_)][static_cast<size_t>(slot % block_size_)];
  result.logprob = entry.logprob;
  result.rank = entry.rank;
  result.top.assign(entry.top.begin(), entry.top.begin() + top);
}

void LogprobStore::copy(const Side& from, Side& to, std::span<const BlockCopy> copies) {
  for (const BlockCopy& copy : copies) {
    const Block& source = from[static_cast<size_t>(copy.from)];
    Block& target = to[static_cast<size_t>(copy.to)];
    if (source.empty()) {
      for (Entry& entry : target) forget(entry);
      continue;
    }
    target.resize(source.size());
    for (size_t i = 0; i < source.size(); ++i) {
      target[i].logprob = source[i].logprob;
      target[i].rank = source[i].rank;
      keep(target[i].top, source[i].top);
    }
  }
}

void LogprobStore::forget(Entry& entry) {
  entry.rank = 0;
  keep(entry.top, {});
}

void LogprobStore::keep(Top& kept, const Top& top) {
  const auto before = static_cast<int64_t>(kept.capacity());
  const auto after = static_cast<int64_t>(top.size());
  if (after == 0 || kept_top_ - before + after > max_top_) {
    Top().swap(kept);  // its memory, too
  } else if (after > before) {
    Top(top).swap(kept);
  } else {
    kept = top;
  }
  kept_top_ += static_cast<int64_t>(kept.capacity()) - before;
}

}  // namespace caravel::engine
