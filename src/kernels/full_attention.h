#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/gemm_input.h"

namespace caravel::kernels {

struct FullAttentionArgs {
  Tensor qkv;  // [tokens, 3 * heads * head_dim]: each token's queries, keys and values, in product_dtype() (gemm.h)
  int heads = 0;
  int head_dim = 0;
  float scale = 1.0F;
  const int32_t* starts = nullptr;  // [num_seqs + 1]: sequence s has tokens starts[s] .. starts[s + 1]
  int num_seqs = 0;
  int64_t max_length = 0;          // of a sequence
  std::byte* workspace = nullptr;  // full_attention_workspace() bytes
  GemmInput out;                   // [tokens, heads * head_dim]
};

/// Bytes of scratch for steps of up to max_tokens and sequences of up to max_length: a head's keys and values, and
/// scores, for each of the device's processors, and the output's rows before they take `form`.
size_t full_attention_workspace(Device& device, InputForm form, int64_t max_tokens, int64_t max_length, int heads,
                                int head_dim);

/// Attention in which every token sees its whole sequence (Vaswani et al. 2017, section 3.2.1), over sequences that lie
/// side by side without padding. A token's result does not depend on the other sequences or the threads.
void full_attention(Stream& stream, const FullAttentionArgs& args);

}  // namespace caravel::kernels
