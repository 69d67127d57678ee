#pragma once

#include <cstddef>
#include <vector>

#include "device/device.h"
#include "format/weight_source.h"
#include "kernels/packed_weight.h"
#include "model/encoder_config.h"
#include "model/weight_layout.h"
#include "model/weight_sink.h"

namespace caravel::model {

/// A layer's weights, packed or as what is known of them before, as LayerOf of a decoder's.
template <typename Matrix, typename Vector>
struct EncoderLayerOf {
  Matrix qkv;                            // [3 * hidden, hidden]
  Vector qkv_bias;                       // [3 * hidden]
  Matrix attn_out;                       // [hidden, hidden]
  Vector attn_out_bias;                  // [hidden]
  Vector attn_norm, attn_norm_bias;      // [hidden]: of the sum of attention and its input
  Matrix up;                             // [intermediate, hidden]
  Vector up_bias;                        // [intermediate]
  Matrix down;                           // [hidden, intermediate]
  Vector down_bias;                      // [hidden]
  Vector output_norm, output_norm_bias;  // [hidden]: of the sum of the feed-forward part and its input
};

template <typename Matrix, typename Vector>
struct EncoderWeightsOf {
  Matrix words;            // [vocab, hidden]
  Vector positions;        // [max_position * hidden]; in memory the first token type's vector is in each
  Vector types;            // [token_types * hidden]; in memory it is gone
  Vector norm, norm_bias;  // [hidden]: of the embeddings
  std::vector<EncoderLayerOf<Matrix, Vector>> layers;
  size_t bytes = 0;  // what all the above take in memory
};

using EncoderLayout = EncoderWeightsOf<MatrixLayout, VectorLayout>;
using EncoderWeights = EncoderWeightsOf<kernels::PackedWeight, Buffer>;

/// From the files' headers alone. Throws FormatError and Unsupported as weight_layout() does.
EncoderLayout encoder_layout(Device& device, const format::WeightSource& source, const EncoderConfig& config);

/// Throws as encoder_layout() before it reads any, CapacityError, IoError.
EncoderWeights load_encoder_weights(WeightSink& sink, const format::WeightSource& source, const EncoderConfig& config);

}  // namespace caravel::model
