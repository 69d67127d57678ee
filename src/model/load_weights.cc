#include "model/load_weights.h"

#include <algorithm>

#include "base/check.h"
#include "model/layer_stream.h"
#include "model/weight_loader.h"

namespace caravel::model {
namespace {

class Loader {
 public:
  Loader(DeviceSink& sink, const format::WeightSource& source, const ModelConfig& config)
      : sink_(sink), source_(source), loader_(sink, source), config_(config) {}

  ModelWeights load(const WeightLayout& layout, std::span<const size_t> in_host) {
    ModelWeights weights;
    weights.embedding = loader_.matrix(layout.embedding);
    weights.positions = loader_.vector(layout.positions);
    weights.final_norm = norm(layout.final_norm);
    weights.final_norm_bias = loader_.vector(layout.final_norm_bias);
    weights.lm_head = loader_.matrix(layout.lm_head);
    weights.in_host.resize(layout.layers.size());
    for (size_t i = 0; i < layout.layers.size(); ++i) {
      LayerWeights& layer = weights.layers.emplace_back();
      load_vectors(layout.layers[i], layer);
      if (std::ranges::find(in_host, i) == in_host.end()) {
        load_matrices(loader_, layout.layers[i], layer);
        continue;
      }
      HostSink host(sink_, matrix_bytes(layout.layers[i]));
      WeightLoader to_host(host, source_);
      load_matrices(to_host, layout.layers[i], layer);
      bytes_in_host_ += to_host.bytes();
      weights.in_host[i] = host.take();
    }
    weights.bytes = loader_.bytes() + bytes_in_host_;
    CARAVEL_CHECK_EQ(weights.bytes, layout.bytes);
    return weights;
  }

 private:
  static void load_matrices(WeightLoader& loader, const LayerLayout& layout, LayerWeights& layer) {
    const auto from = matrices_of(layout);
    const auto to = matrices_of(layer);
    for (size_t i = 0; i < to.size(); ++i) *to[i] = loader.matrix(*from[i]);
  }

  void load_vectors(const LayerLayout& layout, LayerWeights& layer) {
    layer.attn_norm = norm(layout.attn_norm);
    layer.attn_norm_bias = loader_.vector(layout.attn_norm_bias);
    layer.qkv_bias = loader_.vector(layout.qkv_bias);
    layer.sinks = loader_.vector(layout.sinks);
    layer.q_norm = norm(layout.q_norm);
    layer.k_norm = norm(layout.k_norm);
    layer.attn_out_bias = loader_.vector(layout.attn_out_bias);
    layer.post_attn_norm = norm(layout.post_attn_norm);
    layer.ffn_norm = norm(layout.ffn_norm);
    layer.ffn_norm_bias = loader_.vector(layout.ffn_norm_bias);
    layer.gate_up_bias = loader_.vector(layout.gate_up_bias);
    layer.down_bias = loader_.vector(layout.down_bias);
    layer.post_ffn_norm = norm(layout.post_ffn_norm);
    layer.router_bias = loader_.vector(layout.router_bias);
    layer.choice_bias = loader_.vector(layout.choice_bias);
    layer.expert_gate_up_bias = loader_.vector(layout.expert_gate_up_bias);
    layer.expert_down_bias = loader_.vector(layout.expert_down_bias);
    layer.query_latent_norm = norm(layout.query_latent_norm);
    layer.latent_norm = norm(layout.latent_norm);
  }

  Buffer norm(const VectorLayout& layout) {
    std::vector<float> values = loader_.values(layout);
    if (config_.norm_adds_one) {
      for (float& value : values) value += 1.0F;
    }
    return loader_.vector(values);
  }

  DeviceSink& sink_;
  const format::WeightSource& source_;
  WeightLoader loader_;
  const ModelConfig& config_;
  size_t bytes_in_host_ = 0;
};

}  // namespace

ModelWeights load_weights(DeviceSink& sink, const format::WeightSource& source, const ModelConfig& config,
                          std::span<const size_t> in_host) {
  return Loader(sink, source, config).load(weight_layout(sink.device(), source, config), in_host);
}

}  // namespace caravel::model
