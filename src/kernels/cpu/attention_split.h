#pragma once

#include <cstdint>

namespace caravel::kernels {

/// How attention is cut along the context. The positions are absolute, so the cut does not depend on the batch.
/// Functions here are static because the per-ISA sources include them.
constexpr int64_t kSplitKeys = 256;

/// A sequence with at most this many new tokens may have its splits computed apart, on several ranks, and merged after;
/// one with more has row tiles enough to keep all ranks busy. The bits are the same.
constexpr int64_t kSplitQueries = 16;

/// States (token, split) that a step may compute apart; sequences beyond them are computed whole.
constexpr int64_t kMaxSplitStates = 2048;

static inline int64_t splits_in(int64_t context) { return (context + kSplitKeys - 1) / kSplitKeys; }

/// States that fit the workspace of a step; grows with both, so a workspace made for the largest step fits every step.
static inline int64_t split_states(int64_t tokens, int64_t max_context) {
  const int64_t wanted = tokens * splits_in(max_context);
  return wanted < kMaxSplitStates ? wanted : kMaxSplitStates;
}

/// Floats of a state of one head: weighted V [value_dim], max, sum.
static inline int64_t state_floats(int value_dim) { return value_dim + 2; }

}  // namespace caravel::kernels
