#include "model/encoder.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "kernels/embedding.h"
#include "kernels/full_attention.h"
#include "kernels/gemm.h"
#include "kernels/layer_norm.h"
#include "kernels/pool_rows.h"

namespace caravel::model {
namespace {

using kernels::GemmInput;
using kernels::InputForm;
using kernels::PackedWeight;

void weight_region(Stream& stream, const char* name, const PackedWeight& weight, int64_t tokens) {
  const auto macs = static_cast<double>(weight.in()) * static_cast<double>(weight.out());
  stream.region(name, static_cast<double>(weight.bytes()), macs * static_cast<double>(tokens));
}

/// Where f32 rows are to go as `weight` reads them besides: without memory where it reads them as they are.
GemmInput copy_for(const PackedWeight& weight, int64_t tokens, const Buffer& memory) {
  if (weight.input_form() == InputForm::kF32) return {};
  return weight.input(tokens, memory.address());
}

/// What it reads of such rows.
GemmInput input_for(const PackedWeight& weight, int64_t tokens, const Buffer& rows, const Buffer& memory) {
  return weight.input(tokens, weight.input_form() == InputForm::kF32 ? rows.address() : memory.address());
}

}  // namespace

template <typename Matrix, typename Vector>
ActivationSizes<Encoder::Place> Encoder::sizes(Device& device, const EncoderConfig& config,
                                               const EncoderWeightsOf<Matrix, Vector>& weights, int64_t max_tokens,
                                               int64_t max_length) {
  const int64_t hidden = config.hidden_size;
  const auto input_of = [&](const Matrix& weight) {
    return kernels::gemm_input_bytes(device, weight.input_form(), max_tokens, weight.in());
  };
  const auto copy_of = [&](const Matrix& weight) {
    return weight.input_form() == InputForm::kF32 ? 0 : input_of(weight);
  };
  ActivationSizes<Place> sizes;
  sizes.raise(kHidden, static_cast<size_t>(max_tokens * hidden) * sizeof(float));
  sizes.raise(kWide, static_cast<size_t>(max_tokens * row_bytes(kernels::product_dtype(device), 3 * hidden)));
  for (const EncoderLayerOf<Matrix, Vector>& layer : weights.layers) {
    sizes.raise(kInput, copy_of(layer.qkv));
    sizes.raise(kInput, copy_of(layer.up));
    sizes.raise(kAttended, input_of(layer.attn_out));
    sizes.raise(kWide, input_of(layer.down));
    sizes.raise(kWorkspace, kernels::full_attention_workspace(device, layer.attn_out.input_form(), max_tokens,
                                                              max_length, config.num_heads, config.head_dim));
  }
  return sizes;
}

size_t Encoder::activation_bytes(Device& device, const EncoderConfig& config, const EncoderLayout& layout,
                                 int64_t max_tokens, int64_t max_length) {
  return sizes(device, config, layout, max_tokens, max_length).total();
}

Encoder::Encoder(Device& device, EncoderConfig config, EncoderWeights weights, int64_t max_tokens, int64_t max_length)
    : config_(std::move(config)),
      weights_(std::move(weights)),
      max_tokens_(max_tokens),
      max_length_(max_length),
      texts_(device),
      vectors_(device),
      memory_(device, sizes(device, config_, weights_, max_tokens, max_length)) {}

Encoder::Step Encoder::stage(Stream& stream, const EncoderBatch& batch) {
  const size_t tokens = batch.token_ids.size();
  const size_t texts = batch.starts.size() - 1;
  CARAVEL_CHECK_LE(static_cast<int64_t>(tokens), max_tokens_);
  texts_.begin(2 * MirroredArrays::bytes_of<int32_t>(tokens) + MirroredArrays::bytes_of<int32_t>(texts + 1));
  const auto positions = texts_.add<int32_t>(tokens);
  const Step step = {.tokens = static_cast<int64_t>(tokens),
                     .texts = static_cast<int>(texts),
                     .token_ids = texts_.add(std::span(batch.token_ids)),
                     .positions = positions.device,
                     .starts = texts_.add(std::span(batch.starts))};
  for (size_t s = 0; s < texts; ++s) {
    CARAVEL_CHECK_LE(batch.starts[s + 1] - batch.starts[s], max_length_);
    std::iota(positions.host.begin() + batch.starts[s], positions.host.begin() + batch.starts[s + 1], 0);
  }
  texts_.to_device(stream);
  return step;
}

std::span<const float> Encoder::forward(Stream& stream, const EncoderBatch& batch) {
  stream.region("embedding");
  const Step step = stage(stream, batch);
  const Tensor states = f32_tensor(memory_[kHidden].address<float>(), step.tokens, config_.hidden_size);
  kernels::embedding(stream, {.table = &weights_.words, .ids = step.token_ids, .out = states});
  kernels::layer_norm(stream, {.x = states,
                               .table = weights_.positions.address<float>(),
                               .table_rows = step.positions,
                               .weight = weights_.norm.address<float>(),
                               .bias = weights_.norm_bias.address<float>(),
                               .epsilon = config_.norm_epsilon,
                               .out = states,
                               .copy = copy_for(weights_.layers.front().qkv, step.tokens, memory_[kInput])});
  for (size_t i = 0; i < weights_.layers.size(); ++i) {
    layer(stream, step, weights_.layers[i], i + 1 < weights_.layers.size() ? &weights_.layers[i + 1] : nullptr);
  }
  stream.region("pooling");
  const size_t floats = static_cast<size_t>(step.texts) * static_cast<size_t>(config_.hidden_size);
  vectors_.begin(MirroredArrays::bytes_of<float>(floats));
  const auto vectors = vectors_.add<float>(floats);
  kernels::pool_rows(
      stream,
      {.rows = states, .starts = step.starts, .count = step.texts, .pooling = config_.pooling, .out = vectors.device});
  vectors_.to_host(stream);
  stream.synchronize();
  return vectors.host;
}

void Encoder::layer(Stream& stream, const Step& step, const EncoderLayerOf<PackedWeight, Buffer>& weights,
                    const EncoderLayerOf<PackedWeight, Buffer>* next) {
  const int64_t tokens = step.tokens;
  const Tensor states = f32_tensor(memory_[kHidden].address<float>(), tokens, config_.hidden_size);
  const auto norm = [&](const Buffer& weight, const Buffer& bias, const GemmInput& copy) {
    stream.region("norm");
    kernels::layer_norm(stream, {.x = states,
                                 .weight = weight.address<float>(),
                                 .bias = bias.address<float>(),
                                 .epsilon = config_.norm_epsilon,
                                 .out = states,
                                 .copy = copy});
  };
  const auto join_residual = [&](const char* name, const PackedWeight& weight, const Buffer& bias,
                                 const GemmInput& input) {
    weight_region(stream, name, weight, tokens);
    kernels::gemm(
        stream, {.weight = &weight, .input = input, .bias = bias.address<float>(), .accumulate = true, .out = states});
  };

  const Tensor qkv = make_tensor(memory_[kWide].address(), kernels::product_dtype(stream.device()), tokens,
                                 int64_t{3} * config_.hidden_size);
  weight_region(stream, "qkv", weights.qkv, tokens);
  kernels::gemm(stream, {.weight = &weights.qkv,
                         .input = input_for(weights.qkv, tokens, memory_[kHidden], memory_[kInput]),
                         .bias = weights.qkv_bias.address<float>(),
                         .out = qkv});
  stream.region("attention");
  const GemmInput attended = weights.attn_out.input(tokens, memory_[kAttended].address());
  kernels::full_attention(stream, {.qkv = qkv,
                                   .heads = config_.num_heads,
                                   .head_dim = config_.head_dim,
                                   .scale = 1.0F / std::sqrt(static_cast<float>(config_.head_dim)),
                                   .starts = step.starts,
                                   .num_seqs = step.texts,
                                   .max_length = max_length_,
                                   .workspace = memory_[kWorkspace].address(),
                                   .out = attended});
  join_residual("attention output", weights.attn_out, weights.attn_out_bias, attended);
  norm(weights.attn_norm, weights.attn_norm_bias, copy_for(weights.up, tokens, memory_[kInput]));

  const GemmInput activated = weights.down.input(tokens, memory_[kWide].address());
  weight_region(stream, "up", weights.up, tokens);
  kernels::activated_gemm(stream, {.weight = &weights.up,
                                   .input = input_for(weights.up, tokens, memory_[kHidden], memory_[kInput]),
                                   .bias = weights.up_bias.address<float>(),
                                   .activation = config_.activation,
                                   .out = activated});
  join_residual("down", weights.down, weights.down_bias, activated);
  norm(weights.output_norm, weights.output_norm_bias,
       next != nullptr ? copy_for(next->qkv, tokens, memory_[kInput]) : GemmInput{});
}

}  // namespace caravel::model
