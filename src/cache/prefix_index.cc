#include "cache/prefix_index.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace caravel::cache {

PrefixIndex::PrefixIndex(int blocks, int block_size, uint64_t seed)
    : block_size_(block_size),
      seed_(seed),
      mask_(std::bit_ceil(2 * static_cast<size_t>(blocks) + 2) - 1),
      entries_(static_cast<size_t>(blocks)),
      tokens_(static_cast<size_t>(blocks) * static_cast<size_t>(block_size)),
      buckets_(mask_ + 1, kNoBlock) {}

Hash128 PrefixIndex::root(std::string_view salt) const {
  return hash128(salt.data(), salt.size(), hash128(&seed_, sizeof seed_));
}

Hash128 PrefixIndex::extend(Hash128 parent, std::span<const int32_t> tokens) {
  return hash128(tokens.data(), tokens.size_bytes(), parent);
}

Hash128 PrefixIndex::key_of(Hash128 chain, int group) { return hash128(&group, sizeof group, chain); }

size_t PrefixIndex::probe(Hash128 key) const {
  size_t bucket = home(key);
  while (buckets_[bucket] != kNoBlock && entries_[static_cast<size_t>(buckets_[bucket])].key != key) {
    bucket = (bucket + 1) & mask_;
  }
  return bucket;
}

std::span<const int32_t> PrefixIndex::tokens_of(BlockId block) const {
  const auto size = static_cast<size_t>(block_size_);
  return {tokens_.data() + static_cast<size_t>(block) * size, size};
}

BlockId PrefixIndex::find(Hash128 parent, Hash128 chain, std::span<const int32_t> tokens, int group) const {
  const BlockId block = buckets_[probe(key_of(chain, group))];
  if (block == kNoBlock) return kNoBlock;
  const Entry& entry = entries_[static_cast<size_t>(block)];
  const bool same = entry.group == group && entry.parent == parent && std::ranges::equal(tokens_of(block), tokens);
  return same ? block : kNoBlock;
}

bool PrefixIndex::insert(BlockId block, Hash128 parent, Hash128 chain, std::span<const int32_t> tokens, int group) {
  CARAVEL_CHECK(!contains(block));
  CARAVEL_CHECK_EQ(tokens.size(), static_cast<size_t>(block_size_));
  const Hash128 key = key_of(chain, group);
  const size_t bucket = probe(key);
  if (buckets_[bucket] != kNoBlock) return false;
  buckets_[bucket] = block;
  entries_[static_cast<size_t>(block)] = {key, parent, group};
  std::ranges::copy(tokens, tokens_.begin() + static_cast<ptrdiff_t>(block) * block_size_);
  ++size_;
  return true;
}

void PrefixIndex::erase(BlockId block) {
  CARAVEL_CHECK(contains(block));
  size_t hole = probe(entries_[static_cast<size_t>(block)].key);
  CARAVEL_CHECK_EQ(buckets_[hole], block);
  entries_[static_cast<size_t>(block)].group = -1;
  --size_;
  // Linear probing without tombstones: an entry that was pushed past the hole moves back into it.
  for (size_t i = (hole + 1) & mask_; buckets_[i] != kNoBlock; i = (i + 1) & mask_) {
    const size_t wanted = home(entries_[static_cast<size_t>(buckets_[i])].key);
    if (((i - wanted) & mask_) >= ((i - hole) & mask_)) {
      buckets_[hole] = buckets_[i];
      hole = i;
    }
  }
  buckets_[hole] = kNoBlock;
}

void PrefixIndex::check_integrity() const {
  int found = 0;
  for (BlockId block = 0; block < static_cast<BlockId>(entries_.size()); ++block) {
    if (!contains(block)) continue;
    const Entry& entry = entries_[static_cast<size_t>(block)];
    CARAVEL_CHECK_EQ(buckets_[probe(entry.key)], block);
    CARAVEL_CHECK(entry.key == key_of(extend(entry.parent, tokens_of(block)), entry.group));
    ++found;
  }
  CARAVEL_CHECK_EQ(found, size_);
  CARAVEL_CHECK_EQ(std::ranges::count_if(buckets_, [](BlockId b) { return b != kNoBlock; }), size_);
}

}  // namespace caravel::cache
