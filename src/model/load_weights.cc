#include "model/load_weights.h"

#include "base/check.h"
#include "model/weight_loader.h"

namespace caravel::model {
namespace {

class Loader {
 public:
  Loader(WeightSink& sink, const format::WeightSource& source, const ModelConfig& config)
      : loader_(sink, source), config_(config) {}

  ModelWeights load(const WeightLayout& layout) {
    ModelWeights weights;
    weights.embedding = loader_.matrix(layout.embedding);
    weights.final_norm = norm(layout.final_norm);
    weights.lm_head = loader_.matrix(layout.lm_head);
    for (const LayerLayout& layer : layout.layers) weights.layers.push_back(load_layer(layer));
    CARAVEL_CHECK_EQ(loader_.bytes(), layout.bytes);
    weights.bytes = loader_.bytes();
    return weights;
  }

 private:
  LayerWeights load_layer(const LayerLayout& layout) {
    LayerWeights layer;
    layer.attn_norm = norm(layout.attn_norm);
    layer.qkv = loader_.matrix(layout.qkv);
    layer.qkv_bias = loader_.vector(layout.qkv_bias);
    layer.q_norm = norm(layout.q_norm);
    layer.k_norm = norm(layout.k_norm);
    layer.attn_out = loader_.matrix(layout.attn_out);
    layer.attn_out_bias = loader_.vector(layout.attn_out_bias);
    layer.post_attn_norm = norm(layout.post_attn_norm);
    layer.ffn_norm = norm(layout.ffn_norm);
    layer.gate_up = loader_.matrix(layout.gate_up);
    layer.gate_up_bias = loader_.vector(layout.gate_up_bias);
    layer.down = loader_.matrix(layout.down);
    layer.down_bias = loader_.vector(layout.down_bias);
    layer.post_ffn_norm = norm(layout.post_ffn_norm);
    return layer;
  }

  Buffer norm(const VectorLayout& layout) {
    std::vector<float> values = loader_.values(layout);
    if (config_.norm_adds_one) {
      for (float& value : values) value += 1.0F;
    }
    return loader_.vector(values);
  }

  WeightLoader loader_;
  const ModelConfig& config_;
};

}  // namespace

ModelWeights load_weights(WeightSink& sink, const format::WeightSource& source, const ModelConfig& config) {
  return Loader(sink, source, config).load(weight_layout(sink.device(), source, config));
}

}  // namespace caravel::model
