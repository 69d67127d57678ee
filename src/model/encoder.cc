#include "model/encoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "kernels/embedding.h"
#include "kernels/full_attention.h"
#include "kernels/gemm.h"
#include "kernels/layer_norm.h"

namespace caravel::model {
namespace {

using kernels::GemmInput;
using kernels::InputForm;
using kernels::PackedWeight;

struct EncoderActivationSizes {
  size_t positions = 0, hidden = 0, wide = 0, input = 0, attended = 0, attended_input = 0, workspace = 0;  // bytes

  size_t total() const { return positions + hidden + wide + input + attended + attended_input + workspace; }
};

/// Of weights that are packed or will be.
template <typename Matrix, typename Vector>
EncoderActivationSizes encoder_activation_sizes(Device& device, const EncoderConfig& config,
                                                const EncoderWeightsOf<Matrix, Vector>& weights, int64_t max_tokens,
                                                int64_t max_length) {
  const int64_t hidden = config.hidden_size;
  const auto floats = [](int64_t count) { return static_cast<size_t>(count) * sizeof(float); };
  EncoderActivationSizes sizes;
  sizes.positions = static_cast<size_t>(max_tokens) * sizeof(int32_t);
  sizes.hidden = sizes.attended = floats(max_tokens * hidden);
  sizes.wide = floats(max_tokens * 3 * hidden);
  sizes.workspace = kernels::full_attention_workspace(device, max_length, config.head_dim);
  const auto copy_of = [&](const Matrix& weight) {
    const bool reads_f32 = weight.input_form() == InputForm::kF32;
    return reads_f32 ? 0 : kernels::gemm_input_bytes(device, weight.input_form(), max_tokens, weight.in());
  };
  for (const EncoderLayerOf<Matrix, Vector>& layer : weights.layers) {
    sizes.input = std::max({sizes.input, copy_of(layer.qkv), copy_of(layer.up)});
    sizes.attended_input = std::max(sizes.attended_input, copy_of(layer.attn_out));
    sizes.wide =
        std::max(sizes.wide, kernels::gemm_input_bytes(device, layer.down.input_form(), max_tokens, layer.down.in()));
  }
  return sizes;
}

void weight_region(Stream& stream, const char* name, const PackedWeight& weight, int64_t tokens) {
  const auto macs = static_cast<double>(weight.in()) * static_cast<double>(weight.out());
  stream.region(name, static_cast<double>(weight.bytes()), macs * static_cast<double>(tokens));
}

/// Where f32 rows are to go as `weight` reads them besides: width 0 where it reads them as they are.
GemmInput copy_for(const PackedWeight& weight, int64_t tokens, const Buffer& memory) {
  if (weight.input_form() == InputForm::kF32) return {};
  return kernels::make_gemm_input(weight.input_form(), tokens, weight.in(), memory.data());
}

/// What it reads of such rows.
GemmInput input_for(const PackedWeight& weight, int64_t tokens, const Buffer& rows, const Buffer& memory) {
  if (weight.input_form() != InputForm::kF32) return copy_for(weight, tokens, memory);
  return {.width = weight.in(), .f32 = rows.as<float>()};
}

}  // namespace

size_t encoder_activation_bytes(Device& device, const EncoderConfig& config, const EncoderLayout& layout,
                                int64_t max_tokens, int64_t max_length) {
  return encoder_activation_sizes(device, config, layout, max_tokens, max_length).total();
}

Encoder::Encoder(Device& device, EncoderConfig config, EncoderWeights weights, int64_t max_tokens, int64_t max_length)
    : config_(std::move(config)), weights_(std::move(weights)), max_tokens_(max_tokens), max_length_(max_length) {
  const EncoderActivationSizes sizes = encoder_activation_sizes(device, config_, weights_, max_tokens, max_length);
  positions_ = device.allocate(sizes.positions);
  hidden_ = device.allocate(sizes.hidden);
  wide_ = device.allocate(sizes.wide);
  input_ = device.allocate(sizes.input);
  attended_ = device.allocate(sizes.attended);
  attended_input_ = device.allocate(sizes.attended_input);
  workspace_ = device.allocate(sizes.workspace);
}

size_t Encoder::activation_bytes() const {
  size_t bytes = 0;
  for (const Buffer* buffer : {&positions_, &hidden_, &wide_, &input_, &attended_, &attended_input_, &workspace_}) {
    bytes += buffer->size();
  }
  return bytes;
}

const float* Encoder::forward(Stream& stream, const EncoderBatch& batch) {
  const auto tokens = static_cast<int64_t>(batch.token_ids.size());
  CARAVEL_CHECK_LE(tokens, max_tokens_);
  auto* const positions = positions_.as<int32_t>();
  for (size_t s = 0; s + 1 < batch.starts.size(); ++s) {
    CARAVEL_CHECK_LE(batch.starts[s + 1] - batch.starts[s], max_length_);
    for (int32_t t = batch.starts[s]; t < batch.starts[s + 1]; ++t) positions[t] = t - batch.starts[s];
  }
  stream.region("embedding");
  kernels::embedding(
      stream, {.table = &weights_.words, .ids = batch.token_ids.data(), .tokens = tokens, .out = hidden_.as<float>()});
  kernels::layer_norm(stream, {.x = hidden_.as<float>(),
                               .table = weights_.positions.as<float>(),
                               .table_rows = positions,
                               .weight = weights_.norm.as<float>(),
                               .bias = weights_.norm_bias.as<float>(),
                               .epsilon = config_.norm_epsilon,
                               .tokens = tokens,
                               .width = config_.hidden_size,
                               .out = hidden_.as<float>(),
                               .copy = copy_for(weights_.layers.front().qkv, tokens, input_)});
  for (size_t i = 0; i < weights_.layers.size(); ++i) {
    layer(stream, batch, weights_.layers[i], i + 1 < weights_.layers.size() ? &weights_.layers[i + 1] : nullptr);
  }
  stream.synchronize();
  return hidden_.as<float>();
}

void Encoder::layer(Stream& stream, const EncoderBatch& batch, const EncoderLayerOf<PackedWeight, Buffer>& weights,
                    const EncoderLayerOf<PackedWeight, Buffer>* next) {
  const auto tokens = static_cast<int64_t>(batch.token_ids.size());
  const int64_t hidden = config_.hidden_size;
  const auto norm = [&](const Buffer& weight, const Buffer& bias, const GemmInput& copy) {
    stream.region("norm");
    kernels::layer_norm(stream, {.x = hidden_.as<float>(),
                                 .weight = weight.as<float>(),
                                 .bias = bias.as<float>(),
                                 .epsilon = config_.norm_epsilon,
                                 .tokens = tokens,
                                 .width = hidden,
                                 .out = hidden_.as<float>(),
                                 .copy = copy});
  };
  const auto join_residual = [&](const char* name, const PackedWeight& weight, const Buffer& bias,
                                 const GemmInput& input) {
    weight_region(stream, name, weight, tokens);
    kernels::gemm(stream, {.weight = &weight,
                           .input = input,
                           .tokens = tokens,
                           .out = hidden_.as<float>(),
                           .out_stride = hidden,
                           .bias = bias.as<float>(),
                           .accumulate = true});
  };

  weight_region(stream, "qkv", weights.qkv, tokens);
  kernels::gemm(stream, {.weight = &weights.qkv,
                         .input = input_for(weights.qkv, tokens, hidden_, input_),
                         .tokens = tokens,
                         .out = wide_.as<float>(),
                         .out_stride = 3 * hidden,
                         .bias = weights.qkv_bias.as<float>()});
  stream.region("attention");
  kernels::full_attention(stream, {.qkv = wide_.as<float>(),
                                   .stride = 3 * hidden,
                                   .heads = config_.num_heads,
                                   .head_dim = config_.head_dim,
                                   .scale = 1.0F / std::sqrt(static_cast<float>(config_.head_dim)),
                                   .starts = batch.starts.data(),
                                   .num_seqs = static_cast<int>(batch.starts.size()) - 1,
                                   .max_length = max_length_,
                                   .workspace = workspace_.data(),
                                   .out = attended_.as<float>()});
  const GemmInput attended = copy_for(weights.attn_out, tokens, attended_input_);
  if (attended.width != 0) kernels::quantize_input(stream, attended_.as<float>(), tokens, attended);
  join_residual("attention output", weights.attn_out, weights.attn_out_bias,
                input_for(weights.attn_out, tokens, attended_, attended_input_));
  norm(weights.attn_norm, weights.attn_norm_bias, copy_for(weights.up, tokens, input_));

  const GemmInput activated =
      kernels::make_gemm_input(weights.down.input_form(), tokens, config_.intermediate_size, wide_.data());
  weight_region(stream, "up", weights.up, tokens);
  kernels::activated_gemm(stream, {.weight = &weights.up,
                                   .input = input_for(weights.up, tokens, hidden_, input_),
                                   .bias = weights.up_bias.as<float>(),
                                   .activation = config_.activation,
                                   .tokens = tokens,
                                   .width = config_.intermediate_size,
                                   .out = activated});
  join_residual("down", weights.down, weights.down_bias, activated);
  norm(weights.output_norm, weights.output_norm_bias,
       next != nullptr ? copy_for(next->qkv, tokens, input_) : GemmInput{});
}

}  // namespace caravel::model
