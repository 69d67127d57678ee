#pragma once

#include <cstdint>

namespace caravel::kernels::ref {

struct AttentionArgs {
  const double* q = nullptr;  // [queries, heads, head_dim]: the last `queries` tokens of the context
  const double* k = nullptr;  // [context, kv_heads, head_dim], as the cache holds them
  const double* v = nullptr;  // [context, kv_heads, value_dim]
  int64_t queries = 0;
  int64_t context = 0;
  int heads = 0;
  int kv_heads = 0;
  int head_dim = 0;
  int value_dim = 0;  // 0: as head_dim
  double scale = 1.0;
  int64_t window = 0;
  double soft_cap = 0.0;
  const double* sinks = nullptr;  // [heads], or nullptr
  double* out = nullptr;          // [queries, heads, value_dim]
};

/// The mathematics of kernels/paged_attention.h for one sequence, in double precision and without blocks, tiles or
/// splits, on host memory; the tests' oracle.
void attention(const AttentionArgs& args);

}  // namespace caravel::kernels::ref
