#include "model/encoder_weights.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "model/weight_finder.h"
#include "model/weight_loader.h"

namespace caravel::model {
namespace {

class EncoderLayoutReader {
 public:
  EncoderLayoutReader(Device& device, const format::WeightSource& source, const EncoderConfig& config)
      : source_(source), config_(config), finder_(device, source, config.quantization) {}

  EncoderLayout read() {
    const int64_t hidden = config_.hidden_size;
    EncoderLayout layout;
    layout.words = words("embeddings.word_embeddings.weight");
    layout.positions = table("embeddings.position_embeddings.weight", config_.max_position);
    layout.types = table("embeddings.token_type_embeddings.weight", config_.token_types);
    layout.norm = vector({{"embeddings.LayerNorm.weight", hidden}});
    layout.norm_bias = vector({{"embeddings.LayerNorm.bias", hidden}});
    for (int i = 0; i < config_.num_layers; ++i) layout.layers.push_back(layer(fmt::format("encoder.layer.{}.", i)));
    refuse_unknown_weights();
    layout.bytes = finder_.bytes() - layout.types.bytes();
    return layout;
  }

 private:
  EncoderLayerOf<MatrixLayout, VectorLayout> layer(const std::string& prefix) {
    const int64_t hidden = config_.hidden_size;
    const int64_t intermediate = config_.intermediate_size;
    const std::string self = prefix + "attention.self.";
    const std::string output = prefix + "attention.output.";
    EncoderLayerOf<MatrixLayout, VectorLayout> layer;
    layer.qkv = matrix(
        {{self + "query.weight", hidden}, {self + "key.weight", hidden}, {self + "value.weight", hidden}}, hidden);
    layer.qkv_bias =
        vector({{self + "query.bias", hidden}, {self + "key.bias", hidden}, {self + "value.bias", hidden}});
    layer.attn_out = matrix({{output + "dense.weight", hidden}}, hidden);
    layer.attn_out_bias = vector({{output + "dense.bias", hidden}});
    layer.attn_norm = vector({{output + "LayerNorm.weight", hidden}});
    layer.attn_norm_bias = vector({{output + "LayerNorm.bias", hidden}});
    layer.up = matrix({{prefix + "intermediate.dense.weight", intermediate}}, hidden);
    layer.up_bias = vector({{prefix + "intermediate.dense.bias", intermediate}});
    layer.down = matrix({{prefix + "output.dense.weight", hidden}}, intermediate);
    layer.down_bias = vector({{prefix + "output.dense.bias", hidden}});
    layer.output_norm = vector({{prefix + "output.LayerNorm.weight", hidden}});
    layer.output_norm_bias = vector({{prefix + "output.LayerNorm.bias", hidden}});
    return layer;
  }

  void note(const std::vector<WeightFinder::Part>& parts) {
    for (const WeightFinder::Part& part : parts) read_.insert(part.name);
  }
  MatrixLayout matrix(const std::vector<WeightFinder::Part>& parts, int64_t in) {
    note(parts);
    return finder_.matrix(parts, in);
  }
  VectorLayout vector(const std::vector<WeightFinder::Part>& parts) {
    note(parts);
    return finder_.vector(parts);
  }
  MatrixLayout words(const std::string& name) {
    note({{name, config_.vocab_size}});
    return finder_.lookup({name, config_.vocab_size}, config_.hidden_size);
  }
  /// [rows, hidden], as one vector.
  VectorLayout table(const std::string& name, int64_t rows) {
    note({{name, rows}});
    return finder_.table({name, rows}, config_.hidden_size);
  }

  /// A weight that nothing would read means another computation than this one. The pooler is for classifiers.
  void refuse_unknown_weights() const {
    for (const format::WeightInfo& weight : source_.weights()) {
      if (read_.contains(weight.name) || weight.name.starts_with("pooler.dense.")) continue;
      throw fail<Unsupported>("{}: weight {} is none that Caravel knows in a BertModel of {} layers", weight.file,
                              weight.name, config_.num_layers);
    }
  }

  const format::WeightSource& source_;
  const EncoderConfig& config_;
  WeightFinder finder_;
  std::set<std::string> read_;  // names
};

EncoderLayerOf<kernels::PackedWeight, Buffer> load_layer(WeightLoader& loader,
                                                         const EncoderLayerOf<MatrixLayout, VectorLayout>& layout) {
  EncoderLayerOf<kernels::PackedWeight, Buffer> layer;
  layer.qkv = loader.matrix(layout.qkv);
  layer.qkv_bias = loader.vector(layout.qkv_bias);
  layer.attn_out = loader.matrix(layout.attn_out);
  layer.attn_out_bias = loader.vector(layout.attn_out_bias);
  layer.attn_norm = loader.vector(layout.attn_norm);
  layer.attn_norm_bias = loader.vector(layout.attn_norm_bias);
  layer.up = loader.matrix(layout.up);
  layer.up_bias = loader.vector(layout.up_bias);
  layer.down = loader.matrix(layout.down);
  layer.down_bias = loader.vector(layout.down_bias);
  layer.output_norm = loader.vector(layout.output_norm);
  layer.output_norm_bias = loader.vector(layout.output_norm_bias);
  return layer;
}

}  // namespace

EncoderLayout encoder_layout(Device& device, const format::WeightSource& source, const EncoderConfig& config) {
  return EncoderLayoutReader(device, source, config).read();
}

EncoderWeights load_encoder_weights(WeightSink& sink, const format::WeightSource& source, const EncoderConfig& config) {
  const EncoderLayout layout = encoder_layout(sink.device(), source, config);
  WeightLoader loader(sink, source);
  EncoderWeights weights;
  weights.words = loader.matrix(layout.words);
  std::vector<float> positions = loader.values(layout.positions);
  const std::vector<float> types = loader.values(layout.types);
  const auto hidden = static_cast<size_t>(config.hidden_size);
  for (size_t i = 0; i < positions.size(); ++i) positions[i] += types[i % hidden];
  weights.positions = loader.vector(positions);
  weights.norm = loader.vector(layout.norm);
  weights.norm_bias = loader.vector(layout.norm_bias);
  for (const auto& layer : layout.layers) weights.layers.push_back(load_layer(loader, layer));
  weights.bytes = loader.bytes();
  CARAVEL_CHECK_EQ(weights.bytes, layout.bytes);
  return weights;
}

}  // namespace caravel::model
