// KvManager's swap between the device pool and host memory, and the books that must balance.

#include <vector>

#include "base/check.h"
#include "cache/kv_manager.h"

namespace caravel::cache {

int KvManager::distinct_blocks(std::span<KvSequence* const> sequences) {
  ++count_mark_;
  int distinct = 0;
  for (const KvSequence* sequence : sequences) {
    for (const BlockTable& table : sequence->tables) {
      for (int i = table.begin(); i < table.size(); ++i) {
        uint64_t& mark = mark_[static_cast<size_t>(table[i])];
        distinct += mark != count_mark_;
        mark = count_mark_;
      }
    }
  }
  return distinct;
}

void KvManager::move(std::span<KvSequence* const> sequences, Side from, std::vector<BlockCopy>& copies) {
  ++count_mark_;
  const Side to = from == Side::kDevice ? Side::kHost : Side::kDevice;
  for (KvSequence* sequence : sequences) {
    CARAVEL_CHECK_EQ(sequence->on_host, from == Side::kHost);
    for (BlockTable& table : sequence->tables) {
      for (int i = table.size() - 1; i >= table.begin(); --i) {  // the end is freed first, as in drop_blocks()
        const BlockId old = table[i];
        const auto place = static_cast<size_t>(old);
        if (mark_[place] == count_mark_) {
          pool(to).retain(moved_to_[place]);
        } else {
          mark_[place] = count_mark_;
          moved_to_[place] = to == Side::kDevice ? allocate_block() : host_pool_.allocate();
          copies.push_back({old, moved_to_[place]});
        }
        table.replace(i, moved_to_[place]);
        // Copies to the host come before all others; those from there still have to be made.
        release_after(from == Side::kDevice ? begun_ : begun_ + 1, old, from);
      }
    }
    sequence->on_host = to == Side::kHost;
    ++sequence->filling;
  }
}

void KvManager::swap_out(std::span<KvSequence* const> sequences, std::vector<BlockCopy>& copies) {
  move(sequences, Side::kDevice, copies);
}

void KvManager::swap_in(std::span<KvSequence* const> sequences, std::vector<BlockCopy>& copies) {
  move(sequences, Side::kHost, copies);
}

void KvManager::check_references(Side side) const {
  const BlockPool& blocks = side == Side::kDevice ? pool_ : host_pool_;
  std::vector<int> references(static_cast<size_t>(blocks.size()), 0);
  for (const KvSequence* sequence : live_) {
    if (sequence->on_host != (side == Side::kHost)) continue;
    for (const BlockTable& table : sequence->tables) {
      CARAVEL_CHECK_EQ(table.size(), sequence->tables.front().size());
      for (int i = 0; i < table.size(); ++i) {
        CARAVEL_CHECK_EQ(table[i] == kNoBlock, i < table.begin());
        if (table[i] != kNoBlock) ++references[static_cast<size_t>(table[i])];
      }
    }
  }
  for (const Deferred& deferred : deferred_) {
    if (deferred.side == side) ++references[static_cast<size_t>(deferred.block)];
  }
  for (BlockId block = 0; block < blocks.size(); ++block) {
    CARAVEL_CHECK_EQ(blocks.references(block), references[static_cast<size_t>(block)]);
  }
  blocks.check_integrity();
}

void KvManager::check_integrity() const {
  check_references(Side::kDevice);
  check_references(Side::kHost);
  index_.check_integrity();
  if (!config_.prefix_caching) return;
  for (BlockId block = 0; block < pool_.size(); ++block) {
    CARAVEL_CHECK_EQ(pool_.hashed(block), index_.contains(block));
  }
  for (BlockId block = 0; block < host_pool_.size(); ++block) CARAVEL_CHECK(!host_pool_.hashed(block));
  for (size_t i = 0; i < live_.size(); ++i) CARAVEL_CHECK_EQ(live_[i]->registered_at, static_cast<int>(i));
}

}  // namespace caravel::cache
