#pragma once

#include <cstddef>
#include <cstdint>

#include "device/device.h"

namespace caravel::kernels {

struct FullAttentionArgs {
  const float* qkv = nullptr;  // [tokens, stride]: each token's queries, keys and values, heads * head_dim of each
  int64_t stride = 0;
  int heads = 0;
  int head_dim = 0;
  float scale = 1.0F;
  const int32_t* starts = nullptr;  // [num_seqs + 1]: sequence s has tokens starts[s] .. starts[s + 1]
  int num_seqs = 0;
  int64_t max_length = 0;          // of a sequence
  std::byte* workspace = nullptr;  // full_attention_workspace() bytes
  float* out = nullptr;            // [tokens, heads * head_dim]
};

/// Bytes of scratch for sequences of up to max_length: a head's keys and values, and scores, for each of the device's
/// processors.
size_t full_attention_workspace(Device& device, int64_t max_length, int head_dim);

/// Attention in which every token sees its whole sequence (Vaswani et al. 2017, section 3.2.1), over sequences that lie
/// side by side without padding. A token's result does not depend on the other sequences or the threads.
void full_attention(Stream& stream, const FullAttentionArgs& args);

}  // namespace caravel::kernels
