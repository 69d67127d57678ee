#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/block_copy.h"
#include "cache/block_pool.h"
#include "cache/capacity.h"
#include "cache/kv_sequence.h"
#include "cache/prefix_index.h"

namespace caravel::cache {

struct KvConfig {
  int block_size = 16;             // tokens
  int num_blocks = 0;              // blocks in the device pool
  int num_host_blocks = 0;         // blocks in the swap space; 0: no swap
  std::vector<int> windows = {0};  // each KV group's window; 0: every token sees all before it
  bool prefix_caching = true;
  uint64_t hash_seed = 0;  // seeds the prefix index; from the system's entropy where prompts are not trusted
};

/// What the prefix index has of a prompt. Valid until the next call that changes the manager.
struct PrefixHit {
  int tokens = 0;         // a multiple of block_size; 0: nothing found
  int free_blocks = 0;    // how many of its blocks lie on the free list (and leave it when the hit is taken)
  int usable_blocks = 0;  // with a filter: how many blocks it found usable, those that the hit gave back among them
};

/// Decides how far cached blocks serve a prompt that needs more than its keys and values, and reads what it needs.
class CachedBlockFilter {
 public:
  virtual ~CachedBlockFilter() = default;
  /// Whether a cached block of KV group 0 has what is needed. Asked in order, `index` 0, 1, ... of the prompt's blocks;
  /// the first no ends the hit.
  virtual bool usable(int index, BlockId block) const = 0;
  /// The hit is taken: the time to read a usable block, which may be gone later where the hit does not hold it.
  virtual void fetch(int index, BlockId block) = 0;
};

/// The one authority on KV blocks: who holds which, on the device and on the host. Integers alone: the caller carries
/// out the copies that it plans. One thread at a time. After construction and registration nothing is allocated, but
/// by growth of the caller's vectors.
///
/// Between begin_step() and end_step() a step is in flight. Several may be; they run and end in the order in which they
/// began. What is given up meanwhile is handed out again once the newest of them has ended, so that a block outlives
/// the last step that uses it, however many follow. What the step that is being planned copies, and others might take
/// from under it (host blocks that are swapped in, say), is kept for that step, too.
class KvManager {
 public:
  /// Throws InvalidArgument for sizes that make no sense.
  explicit KvManager(const KvConfig& config);

  const KvConfig& config() const { return config_; }
  int groups() const { return static_cast<int>(config_.windows.size()); }
  int block_size() const { return config_.block_size; }
  int free_blocks() const { return pool_.free_blocks(); }
  const BlockPool& pool() const { return pool_; }
  const BlockPool& host_pool() const { return host_pool_; }

  /// What the device pool holds at the worst.
  const Capacity& capacity() const { return capacity_; }

  // -- A sequence's life. It must be released before it is destroyed.

  /// Empty tables with room for max_tokens. on_host: as one of a group that is swapped out.
  void register_sequence(KvSequence& sequence, std::string_view salt, int max_tokens, bool on_host = false);
  /// Drops all blocks, wherever they are; the sequence stays registered and starts again at position 0.
  void reset(KvSequence& sequence, std::string_view salt);
  /// reset() and forget the sequence.
  void release(KvSequence& sequence);
  /// Makes `child`, registered and empty, share all blocks of `parent`, on whichever side they are.
  void share(const KvSequence& parent, KvSequence& child);

  // -- Prefix cache.

  /// The longest hit for a sequence that holds nothing yet. Groups with full attention need all blocks of [0, L), a
  /// group with window w those of the last w - 1 positions before L. L <= max_tokens. With a filter all of group
  /// 0's blocks of [0, L) are needed, whatever its window, and must be usable as far as they hold positions before
  /// `filtered_tokens`; a hit that ends before those do then gives its last block back.
  PrefixHit find_prefix(std::span<const int32_t> tokens, std::string_view salt, int max_tokens,
                        const CachedBlockFilter* filter = nullptr, int filtered_tokens = 0);
  /// Takes a hit (the last find_prefix()'s, nothing having changed since) into the sequence's empty tables. The filter,
  /// the same, then reads every block that it found usable.
  void take_prefix(KvSequence& sequence, const PrefixHit& hit, CachedBlockFilter* filter = nullptr);

  // -- A step.

  /// Blocks to take from the free list so that positions [computed, computed + count) can be written: new ones, and
  /// copies of a last block that is shared.
  int blocks_needed(const KvSequence& sequence, int computed, int count) const;
  /// The largest count' <= count with blocks_needed() <= free_blocks(); 0 when not even one token fits.
  int tokens_that_fit(const KvSequence& sequence, int computed, int count) const;
  /// Takes the blocks. Copies (copy-on-write) are appended to `copies` and must be carried out before the step writes.
  void reserve(KvSequence& sequence, int computed, int count, std::vector<BlockCopy>& copies);
  /// The step is done: `computed` of `tokens` hold keys and values. Full blocks enter the prefix index, where they are
  /// on the device; blocks that no token from `computed` on can see are dropped.
  void commit(KvSequence& sequence, std::span<const int32_t> tokens, int computed);

  /// The planned step is in flight from now on. Its number: 1, 2, ...
  uint64_t begin_step() { return ++begun_; }
  /// The oldest step in flight, which is `step`, has ended.
  void end_step(uint64_t step);

  // -- Swap. A block that several of the sequences share is moved once and stays shared.

  /// Distinct blocks that they hold, on whichever side they are.
  int distinct_blocks(std::span<KvSequence* const> sequences);
  /// Device to host. The host pool must have distinct_blocks() free.
  void swap_out(std::span<KvSequence* const> sequences, std::vector<BlockCopy>& copies);
  /// Host to device. The device pool must have distinct_blocks() free.
  void swap_in(std::span<KvSequence* const> sequences, std::vector<BlockCopy>& copies);

  // -- Books.

  /// Counts token slots that are reserved and hold nothing: begin_count(), then unused_slots() of every sequence on the
  /// device; `computed` says how many of its tokens are stored. A block that several share counts once.
  void begin_count() { ++count_mark_; }
  int unused_slots(const KvSequence& sequence, int computed);

  /// Every invariant: reference counts equal the references from live tables (and from what waits for a step's end),
  /// free lists are whole, the prefix index holds exactly the hashed blocks, window-passed entries are a prefix of
  /// their table. Aborts with what does not add up.
  void check_integrity() const;

 private:
  enum class Side : uint8_t { kDevice, kHost };
  struct Deferred {
    BlockId block;
    Side side;
    uint64_t last_step;  // the newest that may use it
  };

  static Side side_of(const KvSequence& sequence) { return sequence.on_host ? Side::kHost : Side::kDevice; }
  BlockPool& pool(Side side) { return side == Side::kDevice ? pool_ : host_pool_; }
  BlockId look_up(int group, int i, std::span<const int32_t> tokens);
  int cached_by_all(std::span<const int32_t> tokens, int blocks, const CachedBlockFilter* filter, int filtered_tokens);
  int cut_to_windows(std::span<const int32_t> tokens, int blocks);
  BlockId allocate_block();
  void forget(BlockId block);
  /// Gives up a reference; for good when `last_step` has ended.
  void release_after(uint64_t last_step, BlockId block, Side side);
  void release_block(BlockId block, Side side) { release_after(begun_, block, side); }
  bool must_copy(BlockId block) const { return pool_.references(block) > 1; }
  int blocks_for(int tokens) const { return (tokens + config_.block_size - 1) / config_.block_size; }
  /// The first block that a token at `position` sees in this group.
  int first_visible_block(int group, int position) const;
  void drop_blocks(KvSequence& sequence);
  void move(std::span<KvSequence* const> sequences, Side from, std::vector<BlockCopy>& copies);
  void check_references(Side side) const;

  KvConfig config_;
  Capacity capacity_;
  BlockPool pool_;
  BlockPool host_pool_;
  PrefixIndex index_;
  std::vector<KvSequence*> live_;
  uint64_t begun_ = 0;                            // the newest step
  uint64_t ended_ = 0;                            // those after it are in flight
  std::vector<Deferred> deferred_;                // references given up that wait for a step's end
  std::vector<Hash128> hit_chain_;                // the last find_prefix() left it: [i] is the chain after i blocks
  std::vector<std::vector<BlockId>> hit_blocks_;  // [groups][hit blocks]; kUnknown where not looked up
  std::vector<BlockId> moved_to_;                 // scratch of move(): where a marked block went
  std::vector<uint64_t> mark_;  // [blocks of the larger pool]: the last count or move that saw the block
  uint64_t count_mark_ = 0;
};

}  // namespace caravel::cache
