#include "base/check.h"
#include "kernels/gemm.h"
#include "kernels/gemm_input.h"
#include "kernels/layer_norm.h"
#include "kernels/paged_attention.h"
#include "kernels/qkv_gemm.h"
#include "kernels/rms_norm.h"
#include "kernels/scale_queries.h"
#include "model/decoder.h"
#include "model/gemm_region.h"

// A layer of the decoder: five regions, as DeepSpeed-Inference fuses them (Aminabadi et al. 2022, SC'22, section III).

namespace caravel::model {

void Decoder::project_qkv(Stream& stream, const LayerStep& layer) {
  if (config_.latent) return project_latent(stream, layer);
  const LayerWeights& weights = layer.weights;
  kernels::RotaryCacheArgs rotary = {.qkv = queries(layer),
                                     .q_norm = weights.q_norm.address<float>(),
                                     .k_norm = weights.k_norm.address<float>(),
                                     .norms_rows = config_.qk_norm_rows,
                                     .norm_epsilon = config_.norm_epsilon,
                                     .style = config_.rotary_style,
                                     .slots = layer.group.slots,
                                     .heads = static_cast<int>(shard_.heads.size()),
                                     .cache = layer.cache};
  if (layer.spec.rotary >= 0) {
    const auto index = static_cast<size_t>(layer.spec.rotary);
    rotary.cos_sin = angles_[index].address<float>();
    rotary.rotary_dim = config_.rotary[index].dim;
  }
  gemm_region(stream, "qkv", weights.qkv, layer.batch.tokens);
  kernels::qkv_gemm(stream, {.weight = &weights.qkv,
                             .input = attention_branch(weights, layer.batch.tokens).input,
                             .bias = weights.qkv_bias.address<float>(),
                             .rotary = rotary});
  if (layer.spec.rotary < 0) return;
  const RotarySpec& spec = config_.rotary[static_cast<size_t>(layer.spec.rotary)];
  if (spec.query_growth == 0) return;
  Tensor q = queries(layer);
  q.width = shard_.heads.size() * config_.head_dim;
  kernels::scale_queries(
      stream,
      {.q = q, .positions = layer.batch.positions, .growth = spec.query_growth, .interval = spec.query_interval});
}

void Decoder::project_latent(Stream& stream, const LayerStep& layer) {
  CARAVEL_CHECK_GE(layer.spec.rotary, 0);
  latent_layer_->project(stream, {.weights = layer.weights,
                                  .input = attention_branch(layer.weights, layer.batch.tokens).input,
                                  .cos_sin = angles_[static_cast<size_t>(layer.spec.rotary)].address<float>(),
                                  .slots = layer.group.slots,
                                  .cache = layer.cache});
}

void Decoder::attend(Stream& stream, const LayerStep& layer) {
  const ForwardBatch& batch = layer.batch;
  const kernels::GemmInput out = layer.weights.attn_out.input(batch.tokens, memory_[kInput].address());
  stream.region("attention");
  kernels::paged_attention(stream,
                           {.q = config_.latent ? latent_layer_->queries(batch.tokens) : queries(layer),
                            .heads = static_cast<int>(shard_.heads.size()),
                            .scale = config_.attention_scale,
                            .window = layer.spec.window,
                            .soft_cap = config_.attention_soft_cap,
                            .sinks = layer.weights.sinks.address<float>(),
                            .cache = layer.cache,
                            .batch = {.num_seqs = batch.num_seqs,
                                      .query_start = batch.query_start,
                                      .context_len = batch.context_len,
                                      .table_rows = batch.table_rows,
                                      .block_table = layer.group.block_table,
                                      .block_table_stride = batch.block_table_stride,
                                      .shared_blocks = layer.group.shared_blocks},
                            .settled = true,  // as begin() sees to
                            .max_context = max_context_,
                            .workspace = memory_[kAttention].address(),
                            .out = config_.latent ? latent_layer_->attended(layer.weights, batch.tokens) : out});
  if (config_.latent) latent_layer_->project_values(stream, layer.weights, out);
}

void Decoder::project_attention(Stream& stream, const LayerStep& layer) {
  const LayerWeights& weights = layer.weights;
  const int64_t tokens = layer.batch.tokens;
  // One with a router norms the residual stream itself.
  const Branch next = layer.spec.routed ? Branch{} : feed_forward_branch(weights, tokens);
  gemm_region(stream, "attention output", weights.attn_out, tokens);
  join_residual(stream, weights.attn_out, memory_[kInput], weights.attn_out_bias, weights.post_attn_norm, next, tokens);
}

void Decoder::gate_and_up(Stream& stream, const LayerStep& layer) {
  const LayerWeights& weights = layer.weights;
  const int64_t tokens = layer.batch.tokens;
  if (layer.spec.routed) return expert_layer_->gate_and_up(stream, weights, residual(tokens));
  const kernels::GemmInput input = feed_forward_branch(weights, tokens).input;
  const kernels::GemmInput out = weights.down.input(tokens, memory_[kWide].address());
  if (weights.gate_up.parts().size() == 1) {
    gemm_region(stream, "up", weights.gate_up, tokens);
    kernels::activated_gemm(stream, {.weight = &weights.gate_up,
                                     .input = input,
                                     .bias = weights.gate_up_bias.address<float>(),
                                     .activation = config_.activation,
                                     .out = out});
    return;
  }
  gemm_region(stream, "gate and up", weights.gate_up, tokens);
  kernels::gated_gemm(stream, {.weight = &weights.gate_up,
                               .input = input,
                               .bias = weights.gate_up_bias.address<float>(),
                               .activation = config_.activation,
                               .out = out});
}

void Decoder::down(Stream& stream, const LayerStep& layer) {
  const LayerWeights& weights = layer.weights;
  const int64_t tokens = layer.batch.tokens;
  if (layer.spec.routed) return join_experts(stream, layer);
  const Branch next = layer.next != nullptr ? attention_branch(*layer.next, tokens) : Branch{};
  gemm_region(stream, "down", weights.down, tokens);
  join_residual(stream, weights.down, memory_[kWide], weights.down_bias, weights.post_ffn_norm, next, tokens);
}

void Decoder::enter(Stream& stream, const Branch& branch, const int32_t* rows) {
  if (!*branch.norm) {
    CARAVEL_CHECK(rows == nullptr);
    kernels::quantize_input(stream, residual(branch.input.tokens), branch.input);
    return;
  }
  if (config_.layer_norm) {
    kernels::layer_norm(stream, {.x = residual(max_tokens_),
                                 .rows = rows,
                                 .weight = branch.norm->address<float>(),
                                 .bias = branch.norm_bias->address<float>(),
                                 .epsilon = config_.norm_epsilon,
                                 .copy = branch.input});
    return;
  }
  kernels::rms_norm(stream, {.x = residual(max_tokens_),
                             .rows = rows,
                             .weight = branch.norm->address<float>(),
                             .epsilon = config_.norm_epsilon,
                             .out = branch.input});
}

/// A branch's last GEMM, which reads `input`: straight into the residual stream, or first summed with the parts of
/// other ranks, or normed, or both. Then what the next branch begins with.
void Decoder::join_residual(Stream& stream, const kernels::PackedWeight& weight, const Buffer& input,
                            const Buffer& bias, const Buffer& post_norm, const Branch& next, int64_t tokens) {
  const kernels::NextNorm next_norm = fused_norm(next);
  const bool straight = joins_straight(post_norm);
  kernels::gemm(stream, {.weight = &weight,
                         .input = weight.input(tokens, input.address()),
                         .bias = bias.address<float>(),
                         .accumulate = straight,
                         .out = straight ? residual(tokens) : branch(tokens),
                         .next = straight ? next_norm : kernels::NextNorm{}});
  if (!straight) {
    all_reduce(stream, branch(tokens));
    kernels::add_norm(stream, {.y = branch(tokens),
                               .post_weight = post_norm.address<float>(),
                               .residual = residual(tokens),
                               .epsilon = config_.norm_epsilon,
                               .next = next_norm});
  }
  enter_behind(stream, next);
}

/// The same of a layer with a router.
void Decoder::join_experts(Stream& stream, const LayerStep& layer) {
  const int64_t tokens = layer.batch.tokens;
  const Buffer& post_norm = layer.weights.post_ffn_norm;
  const Branch next = layer.next != nullptr ? attention_branch(*layer.next, tokens) : Branch{};
  const kernels::NextNorm next_norm = fused_norm(next);
  const bool straight = joins_straight(post_norm);
  expert_layer_->down(stream, layer.weights, straight ? residual(tokens) : branch(tokens), straight,
                      straight ? next_norm : kernels::NextNorm{});
  if (!straight) {
    all_reduce(stream, branch(tokens));
    kernels::add_norm(stream, {.y = branch(tokens),
                               .post_weight = post_norm.address<float>(),
                               .residual = residual(tokens),
                               .epsilon = config_.norm_epsilon,
                               .next = next_norm});
  }
  enter_behind(stream, next);
}

/// A branch's RMS norm, which the op that writes the residual stream last may fuse.
kernels::NextNorm Decoder::fused_norm(const Branch& next) const {
  if (!next.input.normed) return {};
  return {.weight = next.norm->address<float>(), .epsilon = config_.norm_epsilon, .out = next.input};
}

/// Any other beginning of a branch comes behind that op.
void Decoder::enter_behind(Stream& stream, const Branch& next) {
  if (next.norm == nullptr || next.input.normed) return;
  stream.region("norm");
  enter(stream, next);
}

void Decoder::all_reduce(Stream& stream, const Tensor& rows) {
  if (peers_.tensor == nullptr) return;
  stream.region("all-reduce");
  peers_.tensor->all_reduce(stream, rows);
}

Tensor Decoder::queries(const LayerStep& layer) const {
  return make_tensor(memory_[kWide].address(), product_dtype_, layer.batch.tokens, layer.weights.qkv.out());
}

Tensor Decoder::residual(int64_t tokens) const {
  return f32_tensor(memory_[kHidden].address<float>(), tokens, config_.hidden_size);
}

Tensor Decoder::branch(int64_t tokens) const {
  return make_tensor(memory_[kBranch].address(), product_dtype_, tokens, config_.hidden_size);
}

Decoder::Branch Decoder::branch_of(const Buffer& norm, const Buffer& norm_bias, const kernels::PackedWeight& weight,
                                   int64_t tokens, int turn) const {
  Branch branch = {&norm, &norm_bias, weight.input(tokens, memory_[kNormed].address())};
  branch.input.normed = norm && !config_.layer_norm;
  branch.input.turn = turn;
  return branch;
}

}  // namespace caravel::model
