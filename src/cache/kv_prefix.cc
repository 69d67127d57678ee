// KvManager's prefix cache: how far a prompt is there already.

#include <algorithm>

#include "base/check.h"
#include "cache/kv_manager.h"

namespace caravel::cache {
namespace {

constexpr BlockId kUnknown = -2;

}  // namespace

BlockId KvManager::look_up(int group, int i, std::span<const int32_t> tokens) {
  const auto place = static_cast<size_t>(i);
  BlockId& block = hit_blocks_[static_cast<size_t>(group)][place];
  if (block == kUnknown) {
    const auto size = static_cast<size_t>(block_size());
    block = index_.find(hit_chain_[place], hit_chain_[place + 1], tokens.subspan(place * size, size), group);
  }
  return block;
}

int KvManager::cached_by_all(std::span<const int32_t> tokens, int blocks, const CachedBlockFilter* filter,
                             int filtered_tokens) {
  for (int i = 0; i < blocks; ++i) {
    for (int g = 0; g < groups(); ++g) {
      const bool needed = config_.windows[static_cast<size_t>(g)] == 0 || (g == 0 && filter != nullptr);
      if (needed && look_up(g, i, tokens) == kNoBlock) return i;
    }
    if (filter != nullptr && i * block_size() < filtered_tokens && !filter->usable(i, look_up(0, i, tokens))) return i;
  }
  return blocks;
}

int KvManager::cut_to_windows(std::span<const int32_t> tokens, int blocks) {
  for (int g = 0; g < groups();) {
    int i = blocks - 1;
    const int first = first_visible_block(g, blocks * block_size());
    while (i >= first && look_up(g, i, tokens) != kNoBlock) --i;
    if (i < first) {
      ++g;
    } else {
      blocks = i;  // any longer hit sees the missing block i: end before it, and ask all groups again
      g = 0;
    }
  }
  return blocks;
}

PrefixHit KvManager::find_prefix(std::span<const int32_t> tokens, std::string_view salt, int max_tokens,
                                 const CachedBlockFilter* filter, int filtered_tokens) {
  if (!config_.prefix_caching) return {};
  const int limit = std::min(max_tokens, static_cast<int>(tokens.size())) / block_size();
  const auto size = static_cast<size_t>(block_size());
  hit_chain_.assign(1, index_.root(salt));
  for (size_t i = 0; i < static_cast<size_t>(limit); ++i) {
    hit_chain_.push_back(PrefixIndex::extend(hit_chain_.back(), tokens.subspan(i * size, size)));
  }
  for (auto& blocks : hit_blocks_) blocks.assign(static_cast<size_t>(limit), kUnknown);

  int blocks = cached_by_all(tokens, limit, filter, filtered_tokens);
  const int usable = filter == nullptr ? 0 : std::min(blocks, blocks_for(filtered_tokens));
  // The log-probability of the token after the hit comes from the logits of the hit's last position, which are not
  // computed; that of the token after one block less is in the last block.
  if (filter != nullptr && blocks * block_size() < filtered_tokens) blocks = std::max(0, blocks - 1);
  blocks = cut_to_windows(tokens, blocks);

  PrefixHit hit{.tokens = blocks * block_size(), .usable_blocks = usable};
  for (int g = 0; g < groups(); ++g) {
    for (int i = first_visible_block(g, hit.tokens); i < blocks; ++i) {
      hit.free_blocks += pool_.references(look_up(g, i, tokens)) == 0;
    }
  }
  return hit;
}

void KvManager::take_prefix(KvSequence& sequence, const PrefixHit& hit, CachedBlockFilter* filter) {
  for (int i = 0; i < hit.usable_blocks; ++i) filter->fetch(i, hit_blocks_[0][static_cast<size_t>(i)]);
  if (hit.tokens == 0) return;
  const int blocks = hit.tokens / block_size();
  for (int g = 0; g < groups(); ++g) {
    BlockTable& table = sequence.tables[static_cast<size_t>(g)];
    const int first = first_visible_block(g, hit.tokens);
    table.start_after(std::min(first, blocks));
    for (int i = first; i < blocks; ++i) {
      const BlockId block = hit_blocks_[static_cast<size_t>(g)][static_cast<size_t>(i)];
      pool_.retain(block);
      table.append(block);
    }
  }
  sequence.chain = hit_chain_[static_cast<size_t>(blocks)];
  sequence.chained_blocks = blocks;
}

}  // namespace caravel::cache
