#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "device/device.h"
#include "device/mirrored_arrays.h"
#include "model/activations.h"
#include "model/encoder_weights.h"

namespace caravel::model {

/// One step's texts, side by side without padding. Host memory.
struct EncoderBatch {
  std::vector<int32_t> token_ids;  // [tokens]
  std::vector<int32_t> starts;     // [texts + 1]: text s has tokens starts[s] .. starts[s + 1]
};

/// The forward pass of a BERT-like encoder: post-norm layers in which every token sees its whole text. A text's states
/// do not depend on the others of the batch, nor on threads. Owns its activations. One thread at a time.
class Encoder {
 public:
  /// For steps of at most max_tokens, texts of at most max_length and at most max_texts of them.
  Encoder(Device& device, EncoderConfig config, EncoderWeights weights, int64_t max_tokens, int64_t max_length);

  const EncoderConfig& config() const { return config_; }
  size_t activation_bytes() const { return memory_.bytes(); }
  /// The same of weights that are not loaded yet.
  static size_t activation_bytes(Device& device, const EncoderConfig& config, const EncoderLayout& layout,
                                 int64_t max_tokens, int64_t max_length);

  /// Enqueues the pass and waits for it: [texts, hidden_size], the last layer's states pooled as the configuration
  /// says, which stay until the next. The stream's regions are named. Throws CapacityError.
  std::span<const float> forward(Stream& stream, const EncoderBatch& batch);

 private:
  enum Place : uint8_t {
    kHidden,     // f32 [max_tokens, hidden]: the residual stream
    kWide,       // [tokens, 3 * hidden] of queries, keys and values, then the input of `down`, in its form
    kInput,      // what qkv and up read, in their forms; F32: empty, they read the residual stream
    kAttended,   // what attn_out reads, in its form
    kWorkspace,  // of attention
    kCount
  };
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
  /// Of weights that are packed or will be.
  template <typename Matrix, typename Vector>
  static ActivationSizes<Place> sizes(Device& device, const EncoderConfig& config,
                                      const EncoderWeightsOf<Matrix, Vector>& weights, int64_t max_tokens,
                                      int64_t max_length);

  EncoderConfig config_;
  EncoderWeights weights_;
  int64_t max_tokens_;
  int64_t max_length_;

  MirroredArrays texts_;    // a batch
  MirroredArrays vectors_;  // what came out

  Activations<Place> memory_;
};

}  // namespace caravel::model
