#include <vector>

#include "base/check.h"
#include "model/decoder.h"
#include "model/weight_layout.h"

namespace caravel::model {
namespace {

using kernels::PackedWeight;

class Loader {
 public:
  Loader(Stream& stream, const format::WeightSource& source, const ModelConfig& config)
      : stream_(stream), source_(source), config_(config) {}

  ModelWeights load(const WeightLayout& layout) {
    ModelWeights weights;
    weights.embedding = matrix(layout.embedding);
    weights.final_norm = norm(layout.final_norm);
    weights.lm_head = matrix(layout.lm_head);
    for (const LayerLayout& layer : layout.layers) weights.layers.push_back(load_layer(layer));
    CARAVEL_CHECK_EQ(bytes_, layout.bytes);
    weights.bytes = bytes_;
    return weights;
  }

 private:
  LayerWeights load_layer(const LayerLayout& layout) {
    LayerWeights layer;
    layer.attn_norm = norm(layout.attn_norm);
    layer.qkv = matrix(layout.qkv);
    layer.qkv_bias = vector(layout.qkv_bias);
    layer.q_norm = norm(layout.q_norm);
    layer.k_norm = norm(layout.k_norm);
    layer.attn_out = matrix(layout.attn_out);
    layer.attn_out_bias = vector(layout.attn_out_bias);
    layer.post_attn_norm = norm(layout.post_attn_norm);
    layer.ffn_norm = norm(layout.ffn_norm);
    layer.gate_up = matrix(layout.gate_up);
    layer.gate_up_bias = vector(layout.gate_up_bias);
    layer.down = matrix(layout.down);
    layer.down_bias = vector(layout.down_bias);
    layer.post_ffn_norm = norm(layout.post_ffn_norm);
    return layer;
  }

  /// Buffers are written by the host here: on a CPU the device's memory is the host's.
  Buffer vector(const VectorLayout& layout) {
    if (!layout) return {};
    Buffer buffer = stream_.device().allocate(layout.bytes());
    bytes_ += buffer.size();
    float* out = buffer.as<float>();
    for (const auto& [weight, width] : layout.parts()) {
      if (weight != nullptr) {
        kernels::dequantize_rows(weight->dtype, source_.map(*weight).bytes().data(), 1, width, out);
      }
      out += width;
    }
    return buffer;
  }

  Buffer norm(const VectorLayout& layout) {
    Buffer buffer = vector(layout);
    if (config_.norm_adds_one) {
      for (int64_t i = 0; i < layout.width(); ++i) buffer.as<float>()[i] += 1.0F;
    }
    return buffer;
  }

  PackedWeight matrix(const MatrixLayout& layout) {
    if (!layout) return {};
    std::vector<MappedBytes> mapped;
    std::vector<std::vector<float>> unpacked;  // what is kept in another type than the file's
    std::vector<kernels::WeightRows> stack;
    for (const auto& [weight, dtype, rows] : layout.parts()) {
      const std::byte* data = mapped.emplace_back(source_.map(*weight)).bytes().data();
      if (dtype != weight->dtype) {
        std::vector<float>& values = unpacked.emplace_back(static_cast<size_t>(rows * layout.in()));
        kernels::dequantize_rows(weight->dtype, data, rows, layout.in(), values.data());
        data = reinterpret_cast<const std::byte*>(values.data());
      }
      stack.push_back({data, dtype, rows});
    }
    PackedWeight packed = kernels::pack_weight(stream_, stack, layout.in());
    bytes_ += packed.bytes();
    return packed;
  }

  Stream& stream_;
  const format::WeightSource& source_;
  const ModelConfig& config_;
  size_t bytes_ = 0;
};

}  // namespace

ModelWeights load_weights(Stream& stream, const format::WeightSource& source, const ModelConfig& config) {
  return Loader(stream, source, config).load(weight_layout(source, config));
}

}  // namespace caravel::model
