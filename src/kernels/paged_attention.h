#pragma once

#include <cstdint>

#include "kernels/gemm_input.h"
#include "kernels/kv_cache.h"

namespace caravel::kernels {

/// Which rows of a batch belong to which sequence, and where its blocks lie. Device memory.
struct AttentionBatch {
  int num_seqs = 0;
  const int32_t* query_start = nullptr;    // [num_seqs + 1]: sequence s has rows query_start[s] .. query_start[s+1]
  const int32_t* context_len = nullptr;    // [num_seqs]: tokens in the cache, those of this step included; so row r of
                                           // s has position context_len[s] - (query_start[s+1] - r)
  const int32_t* table_rows = nullptr;     // [num_seqs]: which row of block_table is a sequence's; nullptr: its own
  const int32_t* block_table = nullptr;    // [rows, block_table_stride]: block of positions i*block_size...; those that
  int64_t block_table_stride = 0;          // lie wholly outside the window are not read
  const int32_t* shared_blocks = nullptr;  // [num_seqs]: how many blocks, from the first on, s has in common with s -
                                           // 1: neighbours' common blocks are read once; or nullptr
};

struct PagedAttentionArgs {
  Tensor q;       // [tokens, at least heads * head_dim], in product_dtype() (gemm.h)
  int heads = 0;  // a multiple of cache.kv_heads (GQA)
  float scale = 1.0F;
  int window = 0;         // a token sees itself and the window - 1 before it; 0: all
  float soft_cap = 0.0F;  // scores become cap * tanh(score / cap); 0: off
  // [heads]: a score of each head beside those of its keys, which takes its share of the weights and has no value
  // (attention sinks: Xiao et al. 2023, StreamingLLM, section 3.3); device memory, or nullptr.
  const float* sinks = nullptr;
  KvLayer cache;
  AttentionBatch batch;
  /// The batch's arrays, and what the cache holds of positions before a sequence's first row, were written before a
  /// command that waited for all before it, and nothing since has changed them: a device may read them before the
  /// commands between are done.
  bool settled = false;
  int64_t max_context = 0;         // a bound of all context_len; how the workspace is laid out
  std::byte* workspace = nullptr;  // paged_attention_workspace() bytes
  GemmInput out;                   // [tokens, heads * elements of a value]
};

/// Bytes of scratch for steps of up to max_tokens and sequences of up to max_context: partial softmax states (max, sum,
/// weighted V) of the splits, and the output's rows in f32 before they take the form that the next GEMM reads.
/// head_dim, value_dim: as KvLayer has them.
size_t paged_attention_workspace(Device& device, int64_t max_tokens, int64_t max_context, int heads, int head_dim,
                                 int value_dim);

/// Whether the device has a kernel for keys of head_dim elements whose first value_dim are their values.
bool attends_among_keys(const Device& device, int head_dim, int value_dim);

/// Causal attention on blocks where they lie (Kwon et al. 2023, section 4.3; online softmax, Milakov and Gimelshein
/// 2018). Keys are taken in tiles at fixed absolute positions and the splits' states are merged in order, so a token's
/// result does not depend on the chunk, the batch, the threads or what is shared ("one arithmetic"). K and V are read
/// as stored, also those of this step. What slots past a token's position hold never matters (it may be NaN). A
/// sequence may have no tokens in the step; rows of the output that belong to no sequence are left alone.
void paged_attention(Stream& stream, const PagedAttentionArgs& args);

}  // namespace caravel::kernels
