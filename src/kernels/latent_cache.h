#pragma once

#include <cstdint>

#include "kernels/gemm_input.h"
#include "kernels/kv_cache.h"

namespace caravel::kernels {

/// Queries of multi-head latent attention, and what keys and values come from, after their GEMMs.
struct LatentCacheArgs {
  Tensor q;       // [tokens, heads * (nope_dim + rotary_dim)], in product_dtype() (gemm.h): of each head the elements
                  // that are not rotated, then those that are
  Tensor latent;  // [tokens, cache.head_dim], in product_dtype(): the latent [cache.value_dim], then the heads' shared
                  // key [rotary_dim]
  const float* norm = nullptr;  // [cache.value_dim]: RMS norm of the latent
  float norm_epsilon = 1e-6F;
  const float* cos_sin = nullptr;  // what rotary_angles() wrote, for cache.head_dim - cache.value_dim
  RotaryStyle style = RotaryStyle::kInterleaved;
  const int64_t* slots = nullptr;  // [tokens]: as RotaryCacheArgs'
  int heads = 0;
  int nope_dim = 0;
  KvLayer cache;   // of one KV head, with values among its keys
  GemmInput nope;  // out: [tokens, heads * nope_dim]
  Tensor rotated;  // out: [tokens, heads * cache.head_dim], in product_dtype(): of each head the last rotary_dim alone
};

/// Norms the latent, rotates the shared key and writes both into their slot, as one key whose first elements are the
/// value; rotates each head's last elements and hands on its first ones (DeepSeek-V2, arXiv 2405.04434, section 2.1.2
/// and 2.1.3).
void latent_cache(Stream& stream, const LatentCacheArgs& args);

}  // namespace caravel::kernels
