#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "device/device.h"
#include "format/weight_source.h"
#include "kernels/gemm.h"
#include "model/config.h"
#include "model/forward_batch.h"

namespace caravel::model {

/// A layer's weights, packed. Absent ones are empty.
struct LayerWeights {
  Buffer attn_norm, ffn_norm;            // f32 [hidden]
  Buffer post_attn_norm, post_ffn_norm;  // f32 [hidden]: sandwich norms
  Buffer q_norm, k_norm;                 // f32 [head_dim]
  kernels::PackedWeight qkv;             // [(heads + 2 kv_heads) * head_dim, hidden]
  Buffer qkv_bias;                       // f32
  kernels::PackedWeight attn_out;        // [hidden, heads * head_dim]
  Buffer attn_out_bias;
  kernels::PackedWeight gate_up;         // [2 * intermediate, hidden]
  kernels::PackedWeight down;            // [hidden, intermediate]
};

/// Every weight of a model on a device.
struct ModelWeights {
  kernels::PackedWeight embedding;  // [vocab, hidden]
  Buffer final_norm;
  kernels::PackedWeight lm_head;    // empty: tied to the embedding
  std::vector<LayerWeights> layers;
  size_t bytes = 0;
};

/// Packs all weights. Throws FormatError when one is missing or its shape is not the configuration's (names it, with
/// both shapes).
ModelWeights load_weights(Stream& stream, const format::WeightSource& source, const ModelConfig& config);

/// The one forward pass, for every architecture: five regions a layer, read from ModelConfig and from which weights are
/// there. Owns its activations, for at most max_tokens a step. One thread at a time.
class Decoder {
 public:
  /// max_context: the longest sequence that a batch may hold.
  Decoder(Device& device, ModelConfig config, ModelWeights weights, KvLayout layout, int64_t max_tokens,
          int64_t max_context);

  const ModelConfig& config() const { return config_; }
  const ModelWeights& weights() const { return weights_; }
  const KvLayout& kv_layout() const { return layout_; }
  size_t activation_bytes() const;

  /// Enqueues the layers. Afterwards hidden() holds [tokens, hidden_size] before the final norm.
  void forward(Stream& stream, const ForwardBatch& batch, const KvPool& pool);

  /// f32 [tokens, hidden_size] of the last forward, before the final norm.
  const float* hidden() const;

  /// Enqueues final norm and LM head of chosen rows of hidden(): logits [count, vocab_size], soft-capped where the
  /// model says so. rows: device memory, [count]; count <= max_logit_rows().
  void logits(Stream& stream, const int32_t* rows, int64_t count, float* out);
  static constexpr int64_t max_logit_rows() { return 64; }

  /// Enqueues the final norm of chosen rows: f32 [count, hidden_size], for embeddings. count <= max_logit_rows().
  void final_hidden(Stream& stream, const int32_t* rows, int64_t count, float* out);

 private:
  ModelConfig config_;
  ModelWeights weights_;
  KvLayout layout_;
  int64_t max_tokens_;
  int64_t max_context_;
  struct Activations;
  std::shared_ptr<Activations> activations_;
};

}  // namespace caravel::model
