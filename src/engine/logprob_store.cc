#include "engine/logprob_store.h"

#include "base/check.h"

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
  // Blocks that rows begin hold a stranger's; those that they go on in hold their own.
  for (const scheduler::Row& row : plan.rows) {
    const cache::BlockTable& table = row.sequence->kv.tables.front();
    const int end = (row.first + row.count + block_size_ - 1) / block_size_;
    for (int i = (row.first + block_size_ - 1) / block_size_; i < end; ++i) {
      forget(device_[static_cast<size_t>(table[i])]);
    }
  }
}

void LogprobStore::put(int64_t slot, const TokenLogprob& logprob) {
  put(device_[static_cast<size_t>(slot / block_size_)], static_cast<size_t>(slot % block_size_), logprob);
}

bool LogprobStore::has(int64_t slot, int top) const {
  const Block& block = device_[static_cast<size_t>(slot / block_size_)];
  if (block.empty()) return false;
  const TokenLogprob& kept = block[static_cast<size_t>(slot % block_size_)];
  return kept.rank != 0 && kept.top.size() >= static_cast<size_t>(top);
}

void LogprobStore::get(int64_t slot, int top, TokenLogprob& result) const {
  CARAVEL_CHECK(has(slot, top));
  const TokenLogprob& kept = device_[static_cast<size_t>(slot / block_size_)][static_cast<size_t>(slot % block_size_)];
  result.logprob = kept.logprob;
  result.rank = kept.rank;
  result.top.assign(kept.top.begin(), kept.top.begin() + top);
}

void LogprobStore::copy(const Side& from, Side& to, std::span<const BlockCopy> copies) {
  for (const BlockCopy& copy : copies) {
    const Block& source = from[static_cast<size_t>(copy.from)];
    Block& target = to[static_cast<size_t>(copy.to)];
    forget(target);
    for (size_t i = 0; i < source.size(); ++i) put(target, i, source[i]);
  }
}

void LogprobStore::put(Block& block, size_t i, const TokenLogprob& logprob) {
  block.resize(static_cast<size_t>(block_size_));
  TokenLogprob& kept = block[i];
  kept_top_ -= static_cast<int64_t>(kept.top.size());
  kept = {.token = logprob.token, .logprob = logprob.logprob, .rank = logprob.rank};
  const auto top = static_cast<int64_t>(logprob.top.size());
  if (kept_top_ + top > max_top_) return;
  kept.top = logprob.top;
  kept_top_ += top;
}

void LogprobStore::forget(Block& block) {
  for (const TokenLogprob& kept : block) kept_top_ -= static_cast<int64_t>(kept.top.size());
  block.clear();
}

}  // namespace caravel::engine
