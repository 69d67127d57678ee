#pragma once

#include <cstddef>
#include <cstdint>

#include "base/block_copy.h"
#include "device/device.h"
#include "device/tensor.h"
#include "kernels/kv_dtype.h"

namespace caravel::kernels {

/// head_dim is an even number up to this.
inline constexpr int kMaxHeadDim = 256;
/// The same where values are elements of keys (KvLayer::value_dim).
inline constexpr int kMaxSharedDim = 576;

/// One layer's keys and values in the block pool. Block b's part of this layer starts at base + b * block_stride; the
/// layout inside it belongs to the kernels (rotary_cache writes it, paged_attention reads it).
struct KvLayer {
  std::byte* base = nullptr;
  int64_t block_stride = 0;  // bytes between blocks
  int block_size = 16;       // tokens in a block
  int kv_heads = 0;
  int head_dim = 0;
  KvDtype dtype = KvDtype::kF16;
  int value_dim = 0;  // 0: values lie beside the keys, as wide; else they are the keys' first elements, kept once
};

/// Bytes of one block of one layer, keys and values; a multiple of 64.
int64_t kv_layer_bytes(Device& device, int block_size, int kv_heads, int head_dim, KvDtype dtype);
/// The same where values are elements of keys.
int64_t shared_layer_bytes(Device& device, int block_size, int kv_heads, int head_dim, KvDtype dtype);

struct RotaryAnglesArgs {
  const int32_t* positions = nullptr;   // [tokens]
  const float* inverse_freq = nullptr;  // [rotary_dim / 2]
  float magnitude = 1.0F;               // scale of cos and sin (YaRN's attention factor)
  int64_t tokens = 0;
  int rotary_dim = 0;
  float* cos_sin = nullptr;  // out: [tokens, rotary_dim / 2, 2]
};

/// Once a step for each rotary base; every layer of that base reads it. Angles are reduced in double precision.
void rotary_angles(Stream& stream, const RotaryAnglesArgs& args);

enum class RotaryStyle : uint8_t {
  kHalves,       // pairs (i, i + dim/2): Hugging Face, GGUF's NeoX architectures
  kInterleaved,  // pairs (2i, 2i + 1): GGUF's Llama
};

struct RotaryCacheArgs {
  Tensor qkv;  // [tokens, Q heads, K heads, V heads], in product_dtype() (gemm.h); Q is rotated in place
  const float* q_norm = nullptr;  // [head_dim] RMS norm of each Q head before rotation, or nullptr
  const float* k_norm = nullptr;
  /// The norms are of whole rows: q_norm is [heads * head_dim], k_norm [kv_heads * head_dim], and the mean of squares
  /// is over all of Q's heads, or K's (OLMo 2: OLMo et al. 2025, section 3).
  bool norms_rows = false;
  float norm_epsilon = 1e-6F;
  const float* cos_sin = nullptr;  // what rotary_angles() wrote; nullptr: no rotation
  int rotary_dim = 0;              // <= head_dim; the rest passes through
  RotaryStyle style = RotaryStyle::kHalves;
  const int64_t* slots = nullptr;  // [tokens]: block * block_size + offset; -1: not stored
  int heads = 0;
  KvLayer cache;
};

/// Norms and rotates Q and K and writes K and V straight into their slots (region 1 of the layer). latent_cache() is
/// for layers whose values are elements of their keys.
void rotary_cache(Stream& stream, const RotaryCacheArgs& args);

/// Copies whole blocks: dst[to] = src[from], `bytes` each. The two sides may be the same (copy-on-write); no block is
/// both read and written.
struct CopyBlocksArgs {
  const std::byte* src = nullptr;
  std::byte* dst = nullptr;
  const BlockCopy* copies = nullptr;  // [count]; device memory
  int64_t count = 0;
  int64_t bytes = 0;
};
void copy_blocks(Stream& stream, const CopyBlocksArgs& args);

}  // namespace caravel::kernels
