#pragma once

#include <cstdint>
#include <vector>

#include "device/device.h"
#include "format/weight_source.h"
#include "kernels/packed_weight.h"
#include "model/config.h"
#include "model/forward_batch.h"
#include "model/weight_layout.h"

namespace caravel::model {

/// On a device: vectors as f32, matrices packed.
using LayerWeights = LayerOf<kernels::PackedWeight, Buffer>;
using ModelWeights = WeightsOf<kernels::PackedWeight, Buffer>;

/// Packs all weights, one after the other: of the source's data no more is mapped than what is being packed. Throws as
/// weight_layout() does before it reads any, CapacityError, IoError.
ModelWeights load_weights(Stream& stream, const format::WeightSource& source, const ModelConfig& config);

/// What Decoder::activation_bytes() of such weights will be.
size_t activation_bytes(Device& device, const ModelConfig& config, const WeightLayout& weights, int64_t max_tokens,
                        int64_t max_context);

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
  /// Where a layer's keys and values lie.
  struct KvPlace {
    int group = 0;
    int index = 0;  // within the group
  };

  void attention(Stream& stream, const ForwardBatch& batch, const KvPool& pool, size_t layer);
  void feed_forward(Stream& stream, int64_t tokens, size_t layer);
  /// rows: which of hidden()'s; nullptr: the first.
  void norm(Stream& stream, const Buffer& weight, const kernels::GemmInput& out, const int32_t* rows = nullptr);
  void join_residual(Stream& stream, const kernels::PackedWeight& weight, const Buffer& input, const Buffer& bias,
                     const Buffer& post_norm, int64_t tokens);
  Tensor residual(int64_t tokens) const;
  kernels::GemmInput normed_input_of(const kernels::PackedWeight& weight, int64_t tokens) const;

  ModelConfig config_;
  ModelWeights weights_;
  KvLayout layout_;
  std::vector<KvPlace> places_;  // by layer
  DType product_dtype_;
  int64_t max_tokens_;
  int64_t max_context_;

  // Activations. A region's output replaces what the region before it needed.
  Buffer hidden_;  // f32 [max_tokens, hidden]: the residual stream
  Buffer wide_;    // [tokens, (heads + 2 kv_heads) * head_dim] of product_dtype_, then the input of `down`, in its form
  Buffer branch_;  // [max_tokens, hidden] of product_dtype_: a branch that is normed before it joins
  Buffer input_;   // what qkv, attn_out, gate_up and the LM head read in turn, in their forms
  Buffer attention_workspace_;
  std::vector<Buffer> inverse_freq_;  // by ModelConfig::rotary: f32 [dim / 2]
  std::vector<Buffer> angles_;        // f32 [max_tokens, dim / 2, 2]
};

}  // namespace caravel::model
