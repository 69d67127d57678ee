#include "model/decoder.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "device/upload.h"
#include "kernels/embedding.h"
#include "kernels/gemm.h"
#include "kernels/logits.h"
#include "model/gemm_region.h"

namespace caravel::model {
namespace {

/// Angles of one kind of rotary embedding.
size_t angle_bytes(const RotarySpec& rotary, int64_t max_tokens) {
  return static_cast<size_t>(max_tokens * rotary.dim) * sizeof(float);
}

/// How many ranks there are to compute with, itself included.
int size_of(const comm::Communicator* group) { return group == nullptr ? 1 : group->size(); }

}  // namespace

template <typename Matrix, typename Vector>
ActivationSizes<Decoder::Place> Decoder::sizes(Device& device, const ModelConfig& config,
                                               const WeightsOf<Matrix, Vector>& weights, int64_t max_tokens,
                                               int64_t max_context) {
  const Shard shard = shard_of(config);
  const int64_t qkv = (shard.heads.size() + 2 * shard.kv_heads.size()) * config.head_dim;
  const DType product = kernels::product_dtype(device);
  const auto products = [&](int64_t width) { return static_cast<size_t>(max_tokens * row_bytes(product, width)); };
  const auto input_of = [&](const Matrix& weight) {
    return kernels::gemm_input_bytes(device, weight.input_form(), max_tokens, weight.in());
  };
  ActivationSizes<Place> sizes;
  const auto raise_normed = [&](const Matrix& weight, int64_t rows) {
    if (weight) {
      sizes.raise(kNormed, kernels::normed_input_bytes(device, weight.input_form(), rows, weight.in()));
    }
  };
  sizes.raise(kHidden, static_cast<size_t>(max_tokens * config.hidden_size) * sizeof(float));
  if (!config.latent) sizes.raise(kWide, products(qkv));
  for (const LayerOf<Matrix, Vector>& layer : weights.layers) {
    raise_normed(layer.qkv, max_tokens);
    sizes.raise(kInput, input_of(layer.attn_out));
    if (!layer.router) {
      raise_normed(layer.gate_up, max_tokens);
      sizes.raise(kWide, input_of(layer.down));
    }
    if (layer.post_attn_norm || layer.post_ffn_norm || config.placement.tensor_ranks > 1) {
      sizes.raise(kBranch, products(config.hidden_size));
    }
  }
  raise_normed(weights.embedding, max_logit_rows(device));
  raise_normed(weights.lm_head, max_logit_rows(device));
  const auto heads = static_cast<int>(shard.heads.size());
  const int value_dim = config.latent ? config.latent.latent_dim : 0;
  sizes.raise(kAttention,
              kernels::paged_attention_workspace(device, max_tokens, max_context, heads, config.head_dim, value_dim));
  return sizes;
}

size_t Decoder::activation_bytes(Device& device, const ModelConfig& config, const WeightLayout& weights,
                                 int64_t max_tokens, int64_t max_context) {
  size_t bytes = sizes(device, config, weights, max_tokens, max_context).total();
  for (const RotarySpec& rotary : config.rotary) bytes += angle_bytes(rotary, max_tokens);
  return bytes + LatentLayer::activation_bytes(device, config, weights, max_tokens) +
         ExpertLayer::activation_bytes(device, config, weights, max_tokens);
}

Decoder::Decoder(Device& device, ModelConfig config, std::shared_ptr<const ModelWeights> weights, KvLayout layout,
                 int64_t max_tokens, int64_t max_context, const Peers& peers)
    : config_(std::move(config)),
      shard_(shard_of(config_)),
      weights_(std::move(weights)),
      layout_(std::move(layout)),
      peers_(peers),
      places_(weights_->layers.size()),
      product_dtype_(kernels::product_dtype(device)),
      max_tokens_(max_tokens),
      max_context_(max_context),
      memory_(device, sizes(device, config_, *weights_, max_tokens, max_context)) {
  CARAVEL_CHECK_EQ(size_of(peers_.tensor), config_.placement.tensor_ranks);
  CARAVEL_CHECK_EQ(size_of(peers_.pipeline), config_.placement.stages);
  for (size_t g = 0; g < layout_.groups.size(); ++g) {
    const std::vector<int>& members = layout_.groups[g].layers;
    for (size_t i = 0; i < members.size(); ++i) {
      places_[static_cast<size_t>(members[i])] = {static_cast<int>(g), static_cast<int>(i)};
    }
  }
  if (config_.latent) latent_layer_ = std::make_unique<LatentLayer>(device, config_, *weights_, max_tokens);
  const auto routed = [](const LayerWeights& layer) { return static_cast<bool>(layer.router); };
  if (std::ranges::any_of(weights_->layers, routed)) {
    expert_layer_ = std::make_unique<ExpertLayer>(device, config_, *weights_, max_tokens);
  }
  const auto in_host = [](const HostBuffer& layer) { return static_cast<bool>(layer); };
  if (std::ranges::any_of(weights_->in_host, in_host)) layer_stream_ = std::make_unique<LayerStream>(device, *weights_);
  const auto stream = device.make_stream();
  for (const RotarySpec& rotary : config_.rotary) {
    inverse_freq_.push_back(upload<float>(*stream, rotary.frequencies(max_context_)));
    angles_.push_back(device.allocate(angle_bytes(rotary, max_tokens)));
  }
}

size_t Decoder::activation_bytes() const {
  size_t bytes = memory_.bytes();
  for (const Buffer& buffer : angles_) bytes += buffer.size();
  if (latent_layer_ != nullptr) bytes += latent_layer_->activation_bytes();
  if (expert_layer_ != nullptr) bytes += expert_layer_->activation_bytes();
  return bytes;
}

const float* Decoder::first_position() const {
  if (!weights_->positions) return nullptr;
  return weights_->positions.address<float>() + int64_t{config_.first_position} * config_.hidden_size;
}

size_t Decoder::hidden_bytes(int64_t tokens) const {
  return static_cast<size_t>(tokens * config_.hidden_size) * sizeof(float);
}

const LayerWeights& Decoder::acquire(Stream& stream, size_t layer) {
  return layer_stream_ == nullptr ? weights_->layers[layer] : layer_stream_->acquire(stream, layer);
}

Decoder::LayerStep Decoder::layer_step(Stream& stream, const ForwardBatch& batch, const KvPool& pool, size_t layer) {
  const KvPlace place = places_[layer];
  return {.weights = acquire(stream, layer),
          .spec = config_.layers[static_cast<size_t>(shard_.layers.begin) + layer],
          .batch = batch,
          .group = batch.groups[place.group],
          .cache = {.base = pool.base + place.index * layout_.layer_bytes,
                    .block_stride = layout_.block_bytes(),
                    .block_size = pool.block_size,
                    .kv_heads = static_cast<int>(shard_.kv_heads.size()),
                    .head_dim = config_.head_dim,
                    .dtype = pool.dtype,
                    .value_dim = config_.latent.latent_dim},
          .next = layer + 1 < weights_->layers.size() ? &weights_->layers[layer + 1] : nullptr};
}

/// The residual stream as it enters the stage's first layer, the same normed, and the angles of all. The first command,
/// an embedding or what comes from the stage before, waits for all that was enqueued before the pass.
void Decoder::begin(Stream& stream, const ForwardBatch& batch) {
  if (config_.placement.is_first_stage()) {
    stream.region("embedding");
    kernels::embedding(stream, {.table = &weights_->embedding,
                                .ids = batch.token_ids,
                                .first_id = static_cast<int32_t>(shard_.vocabulary.begin),
                                .scale = config_.embedding_scale,
                                .added = first_position(),
                                .added_rows = batch.positions,
                                .out = residual(batch.tokens)});
    all_reduce(stream, residual(batch.tokens));
  } else {
    stream.region("stages");
    peers_.pipeline->recv(stream, memory_[kHidden].address(), hidden_bytes(batch.tokens), config_.placement.stage - 1);
  }
  if (!weights_->layers.empty()) {
    stream.region("norm");
    enter(stream, attention_branch(weights_->layers.front(), batch.tokens));
  }
  for (size_t i = 0; i < config_.rotary.size(); ++i) {
    kernels::rotary_angles(stream, {.positions = batch.positions,
                                    .inverse_freq = inverse_freq_[i].address<float>(),
                                    .magnitude = config_.rotary[i].magnitude,
                                    .tokens = batch.tokens,
                                    .rotary_dim = config_.rotary[i].dim,
                                    .cos_sin = angles_[i].address<float>()});
  }
}

void Decoder::forward(Stream& stream, const ForwardBatch& batch, const KvPool& pool, float* layer_inputs) {
  CARAVEL_CHECK_LE(batch.tokens, max_tokens_);
  CARAVEL_CHECK_LE(batch.max_context, max_context_);
  const size_t hidden = hidden_bytes(batch.tokens);
  begin(stream, batch);
  for (size_t i = 0; i < weights_->layers.size(); ++i) {
    if (layer_inputs != nullptr) {
      stream.copy(layer_inputs + i * hidden / sizeof(float), memory_[kHidden].address(), hidden);
    }
    const LayerStep layer = layer_step(stream, batch, pool, i);
    project_qkv(stream, layer);
    attend(stream, layer);
    project_attention(stream, layer);
    gate_and_up(stream, layer);
    down(stream, layer);
  }
  if (layer_stream_ != nullptr) layer_stream_->release(stream);
  if (config_.placement.is_last_stage()) return;
  stream.region("stages");
  peers_.pipeline->send(stream, memory_[kHidden].address(), hidden, config_.placement.stage + 1);
}

void Decoder::return_draws(Stream& stream, std::span<int32_t> last_draws) {
  const Placement& place = config_.placement;
  if (peers_.pipeline == nullptr || last_draws.empty()) return;
  if (place.is_last_stage()) peers_.pipeline->send(stream, last_draws.data(), last_draws.size_bytes(), 0);
  if (place.is_first_stage())
    peers_.pipeline->recv(stream, last_draws.data(), last_draws.size_bytes(), place.stages - 1);
}

void Decoder::logits(Stream& stream, const int32_t* rows, int64_t count, float* out) {
  CARAVEL_CHECK(has_lm_head());
  CARAVEL_CHECK_LE(count, max_logit_rows(stream.device()));
  const kernels::PackedWeight& head = weights_->lm_head ? weights_->lm_head : weights_->embedding;
  const Branch branch = branch_of(weights_->final_norm, weights_->final_norm_bias, head, count, 0);
  stream.region("norm");
  enter(stream, branch, rows);
  gemm_region(stream, "LM head", head, count);
  const Tensor logits = f32_tensor(out, count, config_.vocab_size);
  Tensor own = logits;  // the columns of its part of the vocabulary
  own.data = out + shard_.vocabulary.begin;
  own.width = shard_.vocabulary.size();
  kernels::gemm(stream, {.weight = &head, .input = branch.input, .out = own});
  if (peers_.tensor != nullptr) peers_.tensor->all_gather(stream, logits);
  if (config_.logits_scale != 1) kernels::scale_logits(stream, {.logits = logits, .scale = config_.logits_scale});
  if (config_.final_soft_cap > 0) kernels::soft_cap(stream, {.logits = logits, .cap = config_.final_soft_cap});
}

void Decoder::final_hidden(Stream& stream, const int32_t* rows, int64_t count, float* out) {
  CARAVEL_CHECK(has_lm_head());
  CARAVEL_CHECK_LE(count, max_logit_rows(stream.device()));
  enter(stream,
        {.norm = &weights_->final_norm,
         .norm_bias = &weights_->final_norm_bias,
         .input = kernels::f32_input(out, count, config_.hidden_size)},
        rows);
}

}  // namespace caravel::model
