#include "cache/kv_manager.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "base/error.h"

namespace caravel::cache {
namespace {

const KvConfig& checked(const KvConfig& config) {
  if (config.block_size < 1 || !std::has_single_bit(static_cast<unsigned>(config.block_size))) {
    throw fail<InvalidArgument>("a KV block of {} tokens: give a power of two", config.block_size);
  }
  if (config.num_blocks < 1 || config.num_host_blocks < 0) {
    throw fail<InvalidArgument>("a KV cache of {} blocks and {} host blocks: give at least one and none",
                                config.num_blocks, config.num_host_blocks);
  }
  if (config.windows.empty() || std::ranges::any_of(config.windows, [](int window) { return window < 0; })) {
    throw fail<InvalidArgument>("{} KV groups: give at least one, and windows of at least 0", config.windows.size());
  }
  return config;
}

}  // namespace

KvManager::KvManager(const KvConfig& config)
    : config_(checked(config)),
      capacity_{.block_size = config.block_size, .blocks = config.num_blocks, .windows = config.windows},
      pool_(config.num_blocks),
      host_pool_(config.num_host_blocks),
      index_(config.prefix_caching ? config.num_blocks : 0, config.block_size, config.hash_seed),
      hit_blocks_(config.windows.size()) {
  const auto blocks = static_cast<size_t>(std::max(config.num_blocks, config.num_host_blocks));
  deferred_.reserve(2 * blocks);
  moved_to_.assign(blocks, kNoBlock);
  mark_.assign(blocks, 0);
}

void KvManager::register_sequence(KvSequence& sequence, std::string_view salt, int max_tokens, bool on_host) {
  CARAVEL_CHECK_EQ(sequence.registered_at, -1);
  sequence.registered_at = static_cast<int>(live_.size());
  live_.push_back(&sequence);
  sequence.tables.resize(config_.windows.size());
  for (BlockTable& table : sequence.tables) table.reserve(blocks_for(max_tokens));
  reset(sequence, salt);
  sequence.on_host = on_host;
}

void KvManager::reset(KvSequence& sequence, std::string_view salt) {
  drop_blocks(sequence);
  sequence.on_host = false;
  ++sequence.filling;
  sequence.chain = index_.root(salt);
  sequence.chained_blocks = 0;
}

void KvManager::release(KvSequence& sequence) {
  drop_blocks(sequence);
  const auto place = static_cast<size_t>(sequence.registered_at);
  CARAVEL_CHECK_LT(place, live_.size());
  CARAVEL_CHECK(live_[place] == &sequence);
  live_[place] = live_.back();
  live_[place]->registered_at = sequence.registered_at;
  live_.pop_back();
  sequence.registered_at = -1;
}

void KvManager::share(const KvSequence& parent, KvSequence& child) {
  BlockPool& side = pool(side_of(parent));
  for (size_t g = 0; g < parent.tables.size(); ++g) {
    const BlockTable& table = parent.tables[g];
    CARAVEL_CHECK_EQ(child.tables[g].size(), 0);
    child.tables[g].copy_from(table);
    for (int i = table.begin(); i < table.size(); ++i) side.retain(table[i]);
  }
  child.on_host = parent.on_host;
  child.chain = parent.chain;
  child.chained_blocks = parent.chained_blocks;
}

int KvManager::first_visible_block(int group, int position) const {
  const int window = config_.windows[static_cast<size_t>(group)];
  return window == 0 ? 0 : std::max(0, position - window + 1) / block_size();
}

BlockId KvManager::allocate_block() {
  const BlockId block = pool_.allocate();
  if (pool_.hashed(block)) forget(block);
  return block;
}

void KvManager::forget(BlockId block) {
  index_.erase(block);
  pool_.set_hashed(block, false);
}

void KvManager::release_after(uint64_t last_step, BlockId block, Side side) {
  if (last_step > ended_) {
    deferred_.push_back({block, side, last_step});
  } else {
    pool(side).release(block);
  }
}

void KvManager::drop_blocks(KvSequence& sequence) {
  const Side side = side_of(sequence);
  const int entries = sequence.tables.front().size();
  // The end first: the longer a prefix, the sooner it may go, since it is of use only while all before it is there.
  for (int i = entries - 1; i >= 0; --i) {
    for (BlockTable& table : sequence.tables) {
      if (table[i] != kNoBlock) release_block(table[i], side);
    }
  }
  for (BlockTable& table : sequence.tables) table.clear();
}

int KvManager::blocks_needed(const KvSequence& sequence, int computed, int count) const {
  const int first = computed / block_size();
  const int end = blocks_for(computed + count);
  int needed = 0;
  for (const BlockTable& table : sequence.tables) {
    for (int i = first; i < std::min(end, table.size()); ++i) needed += must_copy(table[i]);
    needed += std::max(0, end - table.size());
  }
  return needed;
}

int KvManager::tokens_that_fit(const KvSequence& sequence, int computed, int count) const {
  int fits = count;
  while (fits > 0 && blocks_needed(sequence, computed, fits) > free_blocks()) {
    // One block less: down to where the last one begins.
    fits = std::max(0, (computed + fits - 1) / block_size() * block_size() - computed);
  }
  return fits;
}

void KvManager::reserve(KvSequence& sequence, int computed, int count, std::vector<BlockCopy>& copies) {
  CARAVEL_CHECK(!sequence.on_host);
  const int first = computed / block_size();
  const int end = blocks_for(computed + count);
  for (BlockTable& table : sequence.tables) {
    CARAVEL_CHECK_GE(table.size(), blocks_for(computed));
    for (int i = first; i < std::min(end, table.size()); ++i) {
      if (!must_copy(table[i])) {
        if (pool_.hashed(table[i])) forget(table[i]);  // by one that shared it, filled it and is gone
        continue;
      }
      const BlockId copy = allocate_block();
      const BlockId original = table.replace(i, copy);
      if (i * block_size() < computed) copies.push_back({original, copy});
      // What others may have found may be lost to all of them in this plan, and the copy still has to read it.
      release_after(pool_.hashed(original) ? begun_ + 1 : begun_, original, Side::kDevice);
    }
    while (table.size() < end) table.append(allocate_block());
  }
}

void KvManager::commit(KvSequence& sequence, std::span<const int32_t> tokens, int computed) {
  const auto size = static_cast<size_t>(block_size());
  if (config_.prefix_caching && !sequence.on_host) {
    for (; (sequence.chained_blocks + 1) * block_size() <= computed; ++sequence.chained_blocks) {
      const int i = sequence.chained_blocks;
      const auto content = tokens.subspan(static_cast<size_t>(i) * size, size);
      const Hash128 chain = PrefixIndex::extend(sequence.chain, content);
      for (int g = 0; g < groups(); ++g) {
        const BlockId block = sequence.tables[static_cast<size_t>(g)][i];
        if (block == kNoBlock || pool_.hashed(block)) continue;
        if (index_.insert(block, sequence.chain, chain, content, g)) pool_.set_hashed(block, true);
      }
      sequence.chain = chain;
    }
  }
  for (int g = 0; g < groups(); ++g) {
    BlockTable& table = sequence.tables[static_cast<size_t>(g)];
    const int visible = std::min(first_visible_block(g, computed), table.size());
    while (table.begin() < visible) release_block(table.drop_front(), side_of(sequence));
  }
}

void KvManager::end_step(uint64_t step) {
  CARAVEL_CHECK_LE(step, begun_);
  CARAVEL_CHECK_EQ(step, ended_ + 1);
  ended_ = step;
  auto waiting = deferred_.begin();  // those that go on waiting close up
  for (const Deferred& deferred : deferred_) {
    if (deferred.last_step > step) {
      *waiting++ = deferred;
    } else {
      pool(deferred.side).release(deferred.block);
    }
  }
  deferred_.erase(waiting, deferred_.end());
}

int KvManager::unused_slots(const KvSequence& sequence, int computed) {
  int unused = 0;
  for (const BlockTable& table : sequence.tables) {
    for (int i = computed / block_size(); i < table.size(); ++i) {
      uint64_t& mark = mark_[static_cast<size_t>(table[i])];
      if (mark == count_mark_) continue;
      mark = count_mark_;
      unused += std::min(block_size(), (i + 1) * block_size() - computed);
    }
  }
  return unused;
}

}  // namespace caravel::cache
