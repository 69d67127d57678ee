#pragma once

#include <cstdint>

#include "kernels/cuda/attention_softmax.cuh"
#include "kernels/cuda/common.cuh"
#include "kernels/cuda/kv_head_layout.cuh"
#include "kernels/paged_attention.h"

namespace caravel::kernels::cuda {

/// The softmax begins anew at each split of the keys: at absolute positions, so that no bit depends on the batch.
inline constexpr int kSplitKeys = 128;
/// Query rows (a token's head each) up to which a sequence's whole block of threads works on the same ones.
inline constexpr int kFewRows = 16;
/// Blocks of threads that share a sequence's splits: a cluster's. (Sixteen is what the hardware has at most.)
inline constexpr int kMaxSharers = 16;

struct AttentionParams {
  const BFloat16* q = nullptr;
  int64_t q_stride = 0;
  int heads = 0;
  int group = 0;  // heads that share a KV head
  ScoreArithmetic scores;
  int window = 0;
  const float* sinks = nullptr;  // [heads], or nullptr
  KvLayer cache;
  int value_dim = 0;  // elements of a value
  KvHeadLayout layout;
  uint64_t block_reciprocal = 0;  // 2^32 / cache.block_size, rounded up: right where position * block_size < 2^32
  uint64_t group_reciprocal = 0;  // the same of `group`
  AttentionBatch batch;
  bool settled = false;      // PagedAttentionArgs has it
  int few_rows = kFewRows;   // up to which the kernel of few rows has a sequence; 0: there is none
  bool few_alone = false;    // it takes all sequences, tile after tile
  int neighbours = 1;        // sequences of one token that a tile has rows for: what they have in common is read once
  std::byte* out = nullptr;  // [tokens, heads * value_dim]
  bool out_f32 = false;
};

/// Where a position is in its sequence's blocks.
struct BlockPlace {
  int block;
  int offset;
};
__device__ __forceinline__ BlockPlace place_of(const AttentionParams& params, int position) {
  const auto block = static_cast<int>(static_cast<uint64_t>(position) * params.block_reciprocal >> 32);
  return {block, position - block * params.cache.block_size};
}

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
  int first_position;    // the first query's
  const int32_t* table;  // its blocks

  __device__ Visible visible(int window) const {
    return {visible_keys(window, first_position).begin, first_position + queries};
  }
};

__device__ __forceinline__ AttentionSequence sequence_at(const AttentionBatch& batch, int s) {
  const int first = batch.query_start[s];
  const int queries = batch.query_start[s + 1] - first;
  const int64_t row = batch.table_rows == nullptr ? s : batch.table_rows[s];
  return {first, queries, batch.context_len[s] - queries, batch.block_table + row * batch.block_table_stride};
}

/// Whether the kernel of few rows has it.
__device__ __forceinline__ bool has_few_rows(const AttentionParams& params, const AttentionSequence& sequence) {
  return params.few_alone || sequence.queries * params.group <= params.few_rows;
}

/// A KV head's part of a block.
__device__ __forceinline__ const std::byte* head_part(const AttentionParams& params, int block, int kv_head) {
  return params.cache.base + block * params.cache.block_stride + int64_t{kv_head} * params.layout.head_bytes;
}

/// Rows of one KV head that are computed together: row r has head r % group of the group, and query r / group.
struct AttentionRows {
  AttentionSequence sequence;
  int kv_head;
  int begin;  // the first one, among the sequence's
  int count;

  __device__ int query(const AttentionParams& params, int r) const {
    return static_cast<int>(static_cast<uint64_t>(begin + r) * params.group_reciprocal >> 32);
  }
  __device__ int head(const AttentionParams& params, int r) const {
    return kv_head * params.group + begin + r - query(params, r) * params.group;
  }
  __device__ Visible visible(const AttentionParams& params, int r) const {
    return visible_keys(params.window, sequence.first_position + query(params, r));
  }
  /// What any of them sees.
  __device__ Visible visible(const AttentionParams& params) const {
    return {visible(params, 0).begin, visible(params, count - 1).end};
  }
  /// Row r's elements, and at which element of the output it is to be.
  __device__ const BFloat16* queries(const AttentionParams& params, int r) const {
    return params.q + (sequence.first_token + query(params, r)) * params.q_stride +
           head(params, r) * params.cache.head_dim;
  }
  __device__ int64_t output(const AttentionParams& params, int r) const {
    return (int64_t{sequence.first_token + query(params, r)} * params.heads + head(params, r)) * params.value_dim;
  }
};

__device__ inline AttentionRows rows_of(const AttentionParams& params, const AttentionSequence& sequence, int kv_head,
                                        int begin, int most) {
  const int left = sequence.queries * params.group - begin;
  return {sequence, kv_head, begin, left < most ? left : most};
}

/// By which a row's merged values become its output.
__device__ __forceinline__ float inverse_of_row(const AttentionParams& params, const AttentionRows& rows, int r,
                                                float total_sum, float total_max) {
  constexpr float kLog2E = 1.4426950408889634F;
  if (params.sinks == nullptr) return inverse_of(total_sum);
  return inverse_of(total_sum, total_max, __fmul_rn(params.sinks[rows.head(params, r)], kLog2E));
}

/// Elements `at` and the one after it of the output, merged values; `at` is even.
__device__ __forceinline__ void store_output(const AttentionParams& params, int64_t at, float2 merged, float inverse) {
  const float2 pair = {__fmul_rn(merged.x, inverse), __fmul_rn(merged.y, inverse)};
  if (params.out_f32) {
    *reinterpret_cast<float2*>(reinterpret_cast<float*>(params.out) + at) = pair;
  } else {
    *reinterpret_cast<uint32_t*>(reinterpret_cast<BFloat16*>(params.out) + at) = pack_pair<BFloat16>(pair.x, pair.y);
  }
}

}  // namespace caravel::kernels::cuda
