#pragma once

#include <cstdint>

#include "kernels/cuda/common.cuh"
#include "kernels/cuda/kv_head_layout.cuh"
#include "kernels/paged_attention.h"

namespace caravel::kernels::cuda {

/// Keys are taken in tiles, and the softmax begins anew at each split: at absolute positions, so that no bit depends on
/// the batch.
inline constexpr int kTileKeys = 64;
inline constexpr int kSplitKeys = 128;
inline constexpr int kAttentionThreads = 128;
/// Query rows (a token's head each) up to which a sequence's whole block works on the same ones.
inline constexpr int kFewRows = 16;
/// States (token, split) of the workspace. Sequences beyond them are computed whole, split after split: the same bits.
inline constexpr int64_t kMaxStates = 4096;

struct AttentionParams {
  const BFloat16* q = nullptr;
  int64_t q_stride = 0;
  int heads = 0;
  int group = 0;  // heads that share a KV head
  float scale = 1.0F;
  int window = 0;
  float soft_cap = 0.0F;
  KvLayer cache;
  KvHeadLayout layout;
  AttentionBatch batch;
  bool few_alone = false;   // the kernel of few rows takes all sequences, tile after tile
  float* states = nullptr;  // [kMaxStates, heads, head_dim + 2]: weighted V, max, sum
  int64_t max_states = 0;
  std::byte* out = nullptr;  // [tokens, heads * head_dim]
  bool out_f32 = false;
};

/// The keys that a position sees: begin <= key < end.
struct Visible {
  int begin;
  int end;
};

__device__ __forceinline__ Visible visible_keys(int window, int position) {
  return {window > 0 && position >= window ? position - window + 1 : 0, position + 1};
}

__device__ __forceinline__ int splits_in(const Visible& keys) {
  return (keys.end + kSplitKeys - 1) / kSplitKeys - keys.begin / kSplitKeys;
}

/// A sequence's tokens of this step.
struct AttentionSequence {
  int first_token;
  int queries;
  int first_position;  // the first query's

  __device__ Visible visible(int window) const {
    return {visible_keys(window, first_position).begin, first_position + queries};
  }
};

__device__ __forceinline__ AttentionSequence sequence_at(const AttentionBatch& batch, int s) {
  const int first = batch.query_start[s];
  const int queries = batch.query_start[s + 1] - first;
  return {first, queries, batch.context_len[s] - queries};
}

/// Whether the kernel of few rows has it.
__device__ __forceinline__ bool has_few_rows(const AttentionParams& params, const AttentionSequence& sequence) {
  return params.few_alone || sequence.queries * params.group <= kFewRows;
}

/// States that a sequence wants, for all of its queries.
__device__ __forceinline__ int64_t states_wanted(const AttentionParams& params, const AttentionSequence& sequence) {
  if (sequence.queries <= 0 || !has_few_rows(params, sequence)) return 0;
  const int splits = splits_in(sequence.visible(params.window));
  return splits > 1 ? int64_t{sequence.queries} * splits : 0;
}

/// Where the states of sequence s begin, or -1 where it is computed whole. All threads of the block call it.
__device__ inline int64_t first_state(const AttentionParams& params, int s) {
  int64_t before = 0;
  for (int i = static_cast<int>(threadIdx.x); i < s; i += static_cast<int>(blockDim.x)) {
    before += states_wanted(params, sequence_at(params.batch, i));
  }
  before = reduce_block(before, int64_t{0}, Sum());
  const int64_t wanted = states_wanted(params, sequence_at(params.batch, s));
  return wanted == 0 || before + wanted > params.max_states ? -1 : before;
}

/// Rows of one KV head that are computed together: row r has head r % group of the group, and query r / group.
struct AttentionRows {
  AttentionSequence sequence;
  int kv_head;
  int begin;  // the first one, among the sequence's
  int count;
  const int32_t* table;  // the sequence's blocks

  __device__ int query(const AttentionParams& params, int r) const { return (begin + r) / params.group; }
  __device__ int head(const AttentionParams& params, int r) const {
    return kv_head * params.group + (begin + r) % params.group;
  }
  __device__ Visible visible(const AttentionParams& params, int r) const {
    return visible_keys(params.window, sequence.first_position + query(params, r));
  }
  /// What any of them sees.
  __device__ Visible visible(const AttentionParams& params) const {
    return {visible(params, 0).begin, visible(params, count - 1).end};
  }
  __device__ const std::byte* head_part(const AttentionParams& params, int position) const {
    const KvLayer& cache = params.cache;
    return cache.base + table[position / cache.block_size] * cache.block_stride +
           int64_t{kv_head} * params.layout.head_bytes;
  }
};

__device__ inline AttentionRows rows_of(const AttentionParams& params, int s, const AttentionSequence& sequence,
                                        int kv_head, int begin, int most) {
  const int left = sequence.queries * params.group - begin;
  const int64_t row = params.batch.table_rows == nullptr ? s : params.batch.table_rows[s];
  return {sequence, kv_head, begin, left < most ? left : most,
          params.batch.block_table + row * params.batch.block_table_stride};
}

/// A state of one head of a query.
__device__ __forceinline__ float* state_of(const AttentionParams& params, int64_t state, int head) {
  return params.states + (state * params.heads + head) * (params.cache.head_dim + 2);
}

// Whatever computes a row does these operations and no others: they are not left to the compiler to contract.

__device__ __forceinline__ float exp2_of(float x) {
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

/// A score to the base of 2, so that its weight is a power of two.
__device__ __forceinline__ float score_of(const AttentionParams& params, float product) {
  constexpr float kLog2E = 1.4426950408889634F;
  if (params.soft_cap > 0.0F) {
    const float capped = tanhf(__fdiv_rn(__fmul_rn(product, params.scale), params.soft_cap));
    return __fmul_rn(__fmul_rn(capped, params.soft_cap), kLog2E);
  }
  return __fmul_rn(product, __fmul_rn(params.scale, kLog2E));
}

/// What two partial sums are multiplied by when they come together.
struct MergeFactors {
  float keep;
  float add;
};

/// Of a state with maximum `part` that joins one with `total`; a state that has seen nothing (-infinity) changes none.
__device__ __forceinline__ MergeFactors merge_max(float& total, float part) {
  if (part == -__builtin_inff()) return {1.0F, 0.0F};
  const float max = fmaxf(total, part);
  const MergeFactors factors = {exp2_of(__fsub_rn(total, max)), exp2_of(__fsub_rn(part, max))};
  total = max;
  return factors;
}
__device__ __forceinline__ float merge(float total, float part, const MergeFactors& factors) {
  return __fmaf_rn(part, factors.add, __fmul_rn(total, factors.keep));
}

__device__ __forceinline__ float finish(float total, float sum) { return __fmul_rn(total, __frcp_rn(sum)); }

/// Elements `at` and the one after it of the output; `at` is even.
__device__ __forceinline__ void store_output(const AttentionParams& params, int64_t at, float first, float second) {
  if (params.out_f32) {
    *reinterpret_cast<float2*>(reinterpret_cast<float*>(params.out) + at) = float2{first, second};
  } else {
    *reinterpret_cast<uint32_t*>(reinterpret_cast<BFloat16*>(params.out) + at) = pack_pair<BFloat16>(first, second);
  }
}

}  // namespace caravel::kernels::cuda
