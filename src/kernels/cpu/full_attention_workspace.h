#pragma once

#include <cstdint>

#include "kernels/full_attention.h"

namespace caravel::kernels {

/// Queries that a tile takes at most, and floats that a row of keys or values is rounded up to, on every instruction
/// set. Functions here are static because the per-ISA sources include them.
inline constexpr int kAttentionQueries = 8;
inline constexpr int kAttentionLanes = 32;

static inline int64_t attention_padded(int64_t count) {
  return (count + kAttentionLanes - 1) / kAttentionLanes * kAttentionLanes;
}

/// Of one rank: keys [head_dim, padded length], values [length, padded head_dim], scores [queries, padded length].
static inline int64_t attention_floats(int64_t max_length, int head_dim) {
  const int64_t padded = attention_padded(max_length);
  return head_dim * padded + max_length * attention_padded(head_dim) + kAttentionQueries * padded;
}

/// Finished rows in f32, [tokens, heads * head_dim]: the output itself, or the workspace past what the ranks have.
static inline float* attention_rows(const FullAttentionArgs& args, int ranks) {
  if (args.out.form == InputForm::kF32) return reinterpret_cast<float*>(args.out.data);
  return reinterpret_cast<float*>(args.workspace) + ranks * attention_floats(args.max_length, args.head_dim);
}

}  // namespace caravel::kernels
