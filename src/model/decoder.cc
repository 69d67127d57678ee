#include "model/decoder.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "device/upload.h"
#include "kernels/embedding.h"
#include "kernels/gemm.h"
#include "kernels/logits.h"
#include "kernels/rms_norm.h"

namespace caravel::model {
namespace {

/// A region of the profile that is this weight's GEMM.
void gemm_region(Stream& stream, const char* name, const kernels::PackedWeight& weight, int64_t tokens) {
  const auto macs = static_cast<double>(weight.in()) * static_cast<double>(weight.out());
  stream.region(name, static_cast<double>(weight.bytes()), macs * static_cast<double>(tokens));
}

struct ActivationSizes {
  size_t hidden = 0, wide = 0, branch = 0, input = 0, attention = 0;  // bytes
  std::vector<size_t> angles;                                         // by rotary

  size_t total() const {
    return std::accumulate(angles.begin(), angles.end(), hidden + wide + branch + input + attention);
  }
};

/// Of weights that are packed or will be.
template <typename Matrix, typename Vector>
ActivationSizes activation_sizes(Device& device, const ModelConfig& config, const WeightsOf<Matrix, Vector>& weights,
                                 int64_t max_tokens, int64_t max_context) {
  const auto floats = [](int64_t count) { return static_cast<size_t>(count) * sizeof(float); };
  const auto raise = [](size_t& bytes, size_t needed) { bytes = std::max(bytes, needed); };
  const int64_t qkv = int64_t{config.num_heads + 2 * config.num_kv_heads} * config.head_dim;
  ActivationSizes sizes;
  sizes.hidden = floats(max_tokens * config.hidden_size);
  const DType product = kernels::product_dtype(device);
  sizes.wide = static_cast<size_t>(max_tokens * row_bytes(product, qkv));
  const auto reserve_normed = [&](const Matrix& weight, int64_t rows) {
    if (weight) raise(sizes.input, kernels::normed_input_bytes(device, weight.input_form(), rows, weight.in()));
  };
  for (const LayerOf<Matrix, Vector>& layer : weights.layers) {
    reserve_normed(layer.qkv, max_tokens);
    reserve_normed(layer.gate_up, max_tokens);
    raise(sizes.input, kernels::gemm_input_bytes(device, layer.attn_out.input_form(), max_tokens, layer.attn_out.in()));
    raise(sizes.wide, kernels::gemm_input_bytes(device, layer.down.input_form(), max_tokens, layer.down.in()));
    if (layer.post_attn_norm || layer.post_ffn_norm) {
      sizes.branch = static_cast<size_t>(max_tokens * row_bytes(product, config.hidden_size));
    }
  }
  reserve_normed(weights.embedding, Decoder::max_logit_rows());
  reserve_normed(weights.lm_head, Decoder::max_logit_rows());
  sizes.attention =
      kernels::paged_attention_workspace(device, max_tokens, max_context, config.num_heads, config.head_dim);
  for (const RotarySpec& rotary : config.rotary) sizes.angles.push_back(floats(max_tokens * rotary.dim));
  return sizes;
}

}  // namespace

size_t activation_bytes(Device& device, const ModelConfig& config, const WeightLayout& weights, int64_t max_tokens,
                        int64_t max_context) {
  return activation_sizes(device, config, weights, max_tokens, max_context).total();
}

Decoder::Decoder(Device& device, ModelConfig config, ModelWeights weights, KvLayout layout, int64_t max_tokens,
                 int64_t max_context)
    : config_(std::move(config)),
      weights_(std::move(weights)),
      layout_(std::move(layout)),
      places_(config_.layers.size()),
      product_dtype_(kernels::product_dtype(device)),
      max_tokens_(max_tokens),
      max_context_(max_context) {
  for (size_t g = 0; g < layout_.groups.size(); ++g) {
    const std::vector<int>& members = layout_.groups[g].layers;
    for (size_t i = 0; i < members.size(); ++i) {
      places_[static_cast<size_t>(members[i])] = {static_cast<int>(g), static_cast<int>(i)};
    }
  }
  const ActivationSizes sizes = activation_sizes(device, config_, weights_, max_tokens, max_context);
  hidden_ = device.allocate(sizes.hidden);
  input_ = device.allocate(sizes.input);
  wide_ = device.allocate(sizes.wide);
  branch_ = device.allocate(sizes.branch);
  attention_workspace_ = device.allocate(sizes.attention);

  const std::unique_ptr<Stream> stream = device.make_stream();
  for (size_t i = 0; i < config_.rotary.size(); ++i) {
    inverse_freq_.push_back(upload<float>(*stream, config_.rotary[i].inverse_freq));
    angles_.push_back(device.allocate(sizes.angles[i]));
  }
}

size_t Decoder::activation_bytes() const {
  size_t bytes = 0;
  for (const Buffer* buffer : {&hidden_, &wide_, &branch_, &input_, &attention_workspace_}) bytes += buffer->size();
  for (const Buffer& buffer : angles_) bytes += buffer.size();
  return bytes;
}

const float* Decoder::hidden() const { return hidden_.address<float>(); }

Tensor Decoder::residual(int64_t tokens) const {
  return f32_tensor(hidden_.address<float>(), tokens, config_.hidden_size);
}

kernels::GemmInput Decoder::normed_input_of(const kernels::PackedWeight& weight, int64_t tokens) const {
  kernels::GemmInput input = weight.input(tokens, input_.address());
  input.normed = true;
  return input;
}

void Decoder::forward(Stream& stream, const ForwardBatch& batch, const KvPool& pool) {
  CARAVEL_CHECK_LE(batch.tokens, max_tokens_);
  CARAVEL_CHECK_LE(batch.max_context, max_context_);
  stream.region("embedding");
  kernels::embedding(stream, {.table = &weights_.embedding,
                              .ids = batch.token_ids,
                              .scale = config_.embedding_scale,
                              .out = residual(batch.tokens)});
  for (size_t i = 0; i < config_.rotary.size(); ++i) {
    kernels::rotary_angles(stream, {.positions = batch.positions,
                                    .inverse_freq = inverse_freq_[i].address<float>(),
                                    .magnitude = config_.rotary[i].magnitude,
                                    .tokens = batch.tokens,
                                    .rotary_dim = config_.rotary[i].dim,
                                    .cos_sin = angles_[i].address<float>()});
  }
  for (size_t layer = 0; layer < config_.layers.size(); ++layer) {
    attention(stream, batch, pool, layer);
    feed_forward(stream, batch.tokens, layer);
  }
}

/// Regions 1 to 3.
void Decoder::attention(Stream& stream, const ForwardBatch& batch, const KvPool& pool, size_t layer) {
  const LayerWeights& weights = weights_.layers[layer];
  const LayerSpec& spec = config_.layers[layer];
  const KvPlace place = places_[layer];
  const ForwardBatch::Group& group = batch.groups[place.group];
  const kernels::KvLayer cache = {.base = pool.base + place.index * layout_.layer_bytes,
                                  .block_stride = layout_.block_bytes(),
                                  .block_size = pool.block_size,
                                  .kv_heads = config_.num_kv_heads,
                                  .head_dim = config_.head_dim,
                                  .dtype = pool.dtype};
  const Tensor qkv = make_tensor(wide_.address(), product_dtype_, batch.tokens, weights.qkv.out());

  const kernels::GemmInput normed = normed_input_of(weights.qkv, batch.tokens);
  stream.region("norm");
  norm(stream, weights.attn_norm, normed);
  gemm_region(stream, "qkv", weights.qkv, batch.tokens);
  kernels::gemm(stream,
                {.weight = &weights.qkv, .input = normed, .bias = weights.qkv_bias.address<float>(), .out = qkv});
  kernels::RotaryCacheArgs rotary = {.qkv = qkv,
                                     .q_norm = weights.q_norm.address<float>(),
                                     .k_norm = weights.k_norm.address<float>(),
                                     .norm_epsilon = config_.norm_epsilon,
                                     .style = config_.rotary_style,
                                     .slots = group.slots,
                                     .heads = config_.num_heads,
                                     .cache = cache};
  if (spec.rotary >= 0) {
    const auto index = static_cast<size_t>(spec.rotary);
    rotary.cos_sin = angles_[index].address<float>();
    rotary.rotary_dim = config_.rotary[index].dim;
  }
  stream.region("rotary, cache");
  kernels::rotary_cache(stream, rotary);

  stream.region("attention");
  kernels::paged_attention(stream, {.q = qkv,
                                    .heads = config_.num_heads,
                                    .scale = config_.attention_scale,
                                    .window = spec.window,
                                    .soft_cap = config_.attention_soft_cap,
                                    .cache = cache,
                                    .batch = {.num_seqs = batch.num_seqs,
                                              .query_start = batch.query_start,
                                              .context_len = batch.context_len,
                                              .table_rows = batch.table_rows,
                                              .block_table = group.block_table,
                                              .block_table_stride = batch.block_table_stride,
                                              .shared_blocks = group.shared_blocks},
                                    .max_context = max_context_,
                                    .workspace = attention_workspace_.address(),
                                    .out = weights.attn_out.input(batch.tokens, input_.address())});
  gemm_region(stream, "attention output", weights.attn_out, batch.tokens);
  join_residual(stream, weights.attn_out, input_, weights.attn_out_bias, weights.post_attn_norm, batch.tokens);
}

/// Regions 4 and 5.
void Decoder::feed_forward(Stream& stream, int64_t tokens, size_t layer) {
  const LayerWeights& weights = weights_.layers[layer];
  const kernels::GemmInput normed = normed_input_of(weights.gate_up, tokens);
  stream.region("norm");
  norm(stream, weights.ffn_norm, normed);
  gemm_region(stream, "gate and up", weights.gate_up, tokens);
  kernels::gated_gemm(stream, {.weight = &weights.gate_up,
                               .input = normed,
                               .bias = weights.gate_up_bias.address<float>(),
                               .activation = config_.activation,
                               .out = weights.down.input(tokens, wide_.address())});
  gemm_region(stream, "down", weights.down, tokens);
  join_residual(stream, weights.down, wide_, weights.down_bias, weights.post_ffn_norm, tokens);
}

void Decoder::norm(Stream& stream, const Buffer& weight, const kernels::GemmInput& out, const int32_t* rows) {
  kernels::rms_norm(stream, {.x = residual(max_tokens_),
                             .rows = rows,
                             .weight = weight.address<float>(),
                             .epsilon = config_.norm_epsilon,
                             .out = out});
}

/// A branch's last GEMM, which reads `input`: straight into the residual stream, or through a norm.
void Decoder::join_residual(Stream& stream, const kernels::PackedWeight& weight, const Buffer& input,
                            const Buffer& bias, const Buffer& post_norm, int64_t tokens) {
  const bool normed = static_cast<bool>(post_norm);
  const Tensor branch = make_tensor(branch_.address(), product_dtype_, tokens, config_.hidden_size);
  kernels::gemm(stream, {.weight = &weight,
                         .input = weight.input(tokens, input.address()),
                         .bias = bias.address<float>(),
                         .accumulate = !normed,
                         .out = normed ? branch : residual(tokens)});
  if (!normed) return;
  kernels::add_norm(stream, {.y = branch,
                             .post_weight = post_norm.address<float>(),
                             .residual = residual(tokens),
                             .epsilon = config_.norm_epsilon});
}

void Decoder::logits(Stream& stream, const int32_t* rows, int64_t count, float* out) {
  CARAVEL_CHECK_LE(count, max_logit_rows());
  const kernels::PackedWeight& head = weights_.lm_head ? weights_.lm_head : weights_.embedding;
  const kernels::GemmInput normed = normed_input_of(head, count);
  stream.region("norm");
  norm(stream, weights_.final_norm, normed, rows);
  gemm_region(stream, "LM head", head, count);
  const Tensor logits = f32_tensor(out, count, head.out());
  kernels::gemm(stream, {.weight = &head, .input = normed, .out = logits});
  if (config_.final_soft_cap > 0) kernels::soft_cap(stream, {.logits = logits, .cap = config_.final_soft_cap});
}

void Decoder::final_hidden(Stream& stream, const int32_t* rows, int64_t count, float* out) {
  CARAVEL_CHECK_LE(count, max_logit_rows());
  norm(stream, weights_.final_norm, kernels::f32_input(out, count, config_.hidden_size), rows);
}

}  // namespace caravel::model
