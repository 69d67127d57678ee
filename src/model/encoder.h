#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "device/device.h"
#include "device/mirrored_arrays.h"
#include "model/encoder_weights.h"

namespace caravel::model {

/// One step's texts, side by side without padding. Host memory.
struct EncoderBatch {
  std::vector<int32_t> token_ids;  // [tokens]
  std::vector<int32_t> starts;     // [texts + 1]: text s has tokens starts[s] .. starts[s + 1]
};

/// What Encoder::activation_bytes() of such weights will be.
size_t encoder_activation_bytes(Device& device, const EncoderConfig& config, const EncoderLayout& layout,
                                int64_t max_tokens, int64_t max_length);

/// The forward pass of a BERT-like encoder: post-norm layers in which every token sees its whole text. A text's states
/// do not depend on the others of the batch, nor on threads. Owns its activations. One thread at a time.
class Encoder {
 public:
  /// For steps of at most max_tokens, texts of at most max_length and at most max_texts of them.
  Encoder(Device& device, EncoderConfig config, EncoderWeights weights, int64_t max_tokens, int64_t max_length);

  const EncoderConfig& config() const { return config_; }
  size_t activation_bytes() const;

  /// Enqueues the pass and waits for it: [texts, hidden_size], the last layer's states pooled as the configuration
  /// says, which stay until the next. The stream's regions are named. Throws CapacityError.
  std::span<const float> forward(Stream& stream, const EncoderBatch& batch);

 private:
  /// A batch in the device's memory.
  struct Step {
    int64_t tokens = 0;
    int texts = 0;
    const int32_t* token_ids = nullptr;  // [tokens]
    const int32_t* positions = nullptr;  // [tokens], within their texts
    const int32_t* starts = nullptr;     // [texts + 1]
  };
  Step stage(Stream& stream, const EncoderBatch& batch);
  void layer(Stream& stream, const Step& step, const EncoderLayerOf<kernels::PackedWeight, Buffer>& weights,
             const EncoderLayerOf<kernels::PackedWeight, Buffer>* next);

  EncoderConfig config_;
  EncoderWeights weights_;
  int64_t max_tokens_;
  int64_t max_length_;

  MirroredArrays texts_;    // a batch
  MirroredArrays vectors_;  // what came out

  Buffer hidden_;     // f32 [max_tokens, hidden]: the residual stream
  Buffer wide_;       // [tokens, 3 * hidden] of queries, keys and values, then the input of `down`, in its form
  Buffer input_;      // what qkv and up read, in their forms; F32: empty, they read hidden_
  Buffer attended_;   // what attn_out reads, in its form
  Buffer workspace_;  // of attention
};

}  // namespace caravel::model
