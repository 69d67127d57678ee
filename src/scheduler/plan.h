#pragma once

#include <cstdint>
#include <vector>

#include "base/block_copy.h"
#include "scheduler/sequence.h"

namespace caravel::scheduler {

/// Positions [first, first + count) of one sequence, computed in this step. The last one's token may be what the
/// sequence draws in a step before that is in flight: it has tokens.size() at most until then.
struct Row {
  Sequence* sequence = nullptr;
  int first = 0;
  int count = 0;
  bool draws = false;  // its last token is among them: logits after it are wanted, once
  int restarts = 0;    // the sequence's
};

/// One step. Order of execution: swap_outs, swap_ins, copies, then the forward pass over the rows. A block id is the
/// same in every KV group's storage; what the engine keeps beside blocks (by block id) goes along with each copy.
struct Plan {
  uint64_t step = 0;                 // 1, 2, ...
  std::vector<Row> rows;             // at most max_num_seqs, one a sequence; a group's rows lie side by side
  std::vector<BlockCopy> swap_outs;  // device block -> host block
  std::vector<BlockCopy> swap_ins;   // host block -> device block
  std::vector<BlockCopy> copies;     // device block -> device block; no block is both read and written
  int total_tokens = 0;              // sum of the rows' counts, at most max_num_batched_tokens
};

}  // namespace caravel::scheduler
