#pragma once

// Included by the per-ISA sources alone.

#include "kernels/cpu/attention_split.h"
#include "kernels/cpu/kv_head_layout.h"
#include "kernels/paged_attention.h"

namespace caravel::kernels::CARAVEL_ISA {

/// One sequence of the batch. Its query rows are numbered token * heads per group + head, for each KV head.
struct Sequence {
  int64_t index = 0;
  int64_t first_token = 0;  // row in the batch
  int64_t queries = 0;
  int64_t first_position = 0;  // the first query's
  int64_t first_split = 0;     // the first that a query sees
  int64_t splits = 0;
  int64_t first_state = -1;   // its place in the workspace, if its splits are computed apart
  int64_t shared_splits = 0;  // those that it and the sequence before see whole, in the same blocks

  bool is_split() const { return first_state >= 0; }
};

/// The keys that a query at `position` sees.
struct Visible {
  int64_t begin;
  int64_t end;
};
static inline Visible visible_keys(const PagedAttentionArgs& args, int64_t position) {
  const int64_t begin = args.window > 0 && position >= args.window ? position - args.window + 1 : 0;
  return {begin, position + 1};
}

/// Walks the batch's sequences in order and hands out the workspace's states; every rank sees the same.
class SequenceWalk {
 public:
  explicit SequenceWalk(const PagedAttentionArgs& args)
      : args_(args), states_left_(split_states(args.q.rows, args.max_context)) {}

  bool next(Sequence& s) {
    const AttentionBatch& batch = args_.batch;
    if (index_ == batch.num_seqs) return false;
    s.index = index_;
    s.first_token = batch.query_start[index_];
    s.queries = batch.query_start[index_ + 1] - s.first_token;
    s.first_position = batch.context_len[index_] - s.queries;
    s.first_split = visible_keys(args_, s.first_position).begin / kSplitKeys;
    s.splits = splits_in(batch.context_len[index_]) - s.first_split;
    s.first_state = -1;
    const int64_t states = s.queries * s.splits;
    if (s.queries <= kSplitQueries && s.splits > 1 && states <= states_left_) {
      s.first_state = states_used_;
      states_used_ += states;
      states_left_ -= states;
    }
    s.shared_splits = 0;
    if (batch.shared_blocks != nullptr && args_.window == 0 && s.is_split()) {
      s.shared_splits = static_cast<int64_t>(batch.shared_blocks[index_]) * args_.cache.block_size / kSplitKeys;
      if (s.shared_splits > whole_before_) s.shared_splits = whole_before_;
      whole_before_ = (s.first_position + 1) / kSplitKeys;
      if (s.shared_splits > whole_before_) s.shared_splits = whole_before_;
    } else {
      whole_before_ = 0;
    }
    ++index_;
    return true;
  }

 private:
  const PagedAttentionArgs& args_;
  int64_t states_left_;
  int64_t states_used_ = 0;
  int64_t whole_before_ = 0;  // splits that all queries of the sequence before see whole
  int index_ = 0;
};

/// Neighbours with common splits, which are computed for all of them together.
struct Cluster {
  static constexpr int kMost = 16;

  Sequence members[kMost];
  int count = 0;
};

/// Walks the batch's sequences cluster by cluster.
class ClusterWalk {
 public:
  explicit ClusterWalk(const PagedAttentionArgs& args) : walk_(args) { more_ = walk_.next(ahead_); }

  bool next(Cluster& cluster) {
    if (!more_) return false;
    cluster.count = 0;
    do {
      cluster.members[cluster.count++] = ahead_;
      more_ = walk_.next(ahead_);
    } while (more_ && ahead_.shared_splits > 0 && cluster.count < Cluster::kMost);
    return true;
  }

 private:
  SequenceWalk walk_;
  Sequence ahead_;
  bool more_;
};

static inline float* state_of(const PagedAttentionArgs& args, const Sequence& s, int64_t query, int64_t split,
                              int head) {
  const int64_t state = s.first_state + query * s.splits + split - s.first_split;
  return reinterpret_cast<float*>(args.workspace) +
         (state * args.heads + head) * state_floats(value_elements(args.cache));
}

/// Finished rows in f32, [tokens, heads * elements of a value]: the output itself, or the workspace past the states.
static inline float* output_rows(const PagedAttentionArgs& args) {
  if (args.out.form == InputForm::kF32) return reinterpret_cast<float*>(args.out.data);
  const int64_t states = split_states(args.q.rows, args.max_context);
  return reinterpret_cast<float*>(args.workspace) + states * args.heads * state_floats(value_elements(args.cache));
}

}  // namespace caravel::kernels::CARAVEL_ISA
