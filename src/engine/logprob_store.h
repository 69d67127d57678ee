#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/block_copy.h"
#include "caravel/result.h"
#include "scheduler/plan.h"

namespace caravel::engine {

/// Log-probabilities of tokens, kept beside the blocks that hold their keys and values: so that a prompt found in the
/// prefix cache need not be computed again because they are asked for. One thread at a time.
class LogprobStore {
 public:
  /// max_top: how many of the most likely ones are kept in all; beyond, a token's own is kept without them, and they
  /// are computed again where they are asked for.
  LogprobStore(int blocks, int host_blocks, int block_size, int64_t max_top);

  /// The step is about to run: what is beside blocks goes along with their copies, and nothing is known any more of the
  /// blocks that its rows begin.
  void begin_step(const scheduler::Plan& plan);
  void put(int64_t slot, const TokenLogprob& logprob);
  /// Whether the slot's token has one, and at least `top` of the most likely ones.
  bool has(int64_t slot, int top) const;
  /// All of `result` but its token, where it has that.
  void get(int64_t slot, int top, TokenLogprob& result) const;

  int block_size() const { return block_size_; }

 private:
  using Block = std::vector<TokenLogprob>;  // [block_size], of rank 0 where nothing is known; empty: nothing is of any
  using Side = std::vector<Block>;

  void copy(const Side& from, Side& to, std::span<const BlockCopy> copies);
  void put(Block& block, size_t i, const TokenLogprob& logprob);
  void forget(Block& block);

  int block_size_;
  int64_t max_top_;
  int64_t kept_top_ = 0;
  Side device_;
  Side host_;
};

}  // namespace caravel::engine
