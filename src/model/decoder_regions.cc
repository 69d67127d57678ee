#include "kernels/gemm.h"
#include "kernels/paged_attention.h"
#include "kernels/qkv_gemm.h"
#include "kernels/rms_norm.h"
#include "kernels/scale_queries.h"
#include "model/decoder.h"
#include "model/gemm_region.h"

// A layer of the decoder: five regions, as DeepSpeed-Inference fuses them (Aminabadi et al. 2022, SC'22, section III).

namespace caravel::model {

void Decoder::project_qkv(Stream& stream, const LayerStep& layer) {
  const LayerWeights& weights = layer.weights;
  kernels::RotaryCacheArgs rotary = {.qkv = queries(layer),
                                     .q_norm = weights.q_norm.address<float>(),
                                     .k_norm = weights.k_norm.address<float>(),
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
                             .input = qkv_input(weights, layer.batch.tokens),
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

void Decoder::attend(Stream& stream, const LayerStep& layer) {
  const ForwardBatch& batch = layer.batch;
  stream.region("attention");
  kernels::paged_attention(stream, {.q = queries(layer),
                                    .heads = static_cast<int>(shard_.heads.size()),
                                    .scale = config_.attention_scale,
                                    .window = layer.spec.window,
                                    .soft_cap = config_.attention_soft_cap,
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
                                    .workspace = attention_workspace_.address(),
                                    .out = layer.weights.attn_out.input(batch.tokens, input_.address())});
}

void Decoder::project_attention(Stream& stream, const LayerStep& layer) {
  const LayerWeights& weights = layer.weights;
  const int64_t tokens = layer.batch.tokens;
  gemm_region(stream, "attention output", weights.attn_out, tokens);
  join_residual(stream, weights.attn_out, input_, weights.attn_out_bias, weights.post_attn_norm,
                {.weight = weights.ffn_norm.address<float>(),
                 .epsilon = config_.norm_epsilon,
                 .out = gate_up_input(weights, tokens)},
                tokens);
}

void Decoder::gate_and_up(Stream& stream, const LayerStep& layer) {
  const LayerWeights& weights = layer.weights;
  const int64_t tokens = layer.batch.tokens;
  gemm_region(stream, "gate and up", weights.gate_up, tokens);
  kernels::gated_gemm(stream, {.weight = &weights.gate_up,
                               .input = gate_up_input(weights, tokens),
                               .bias = weights.gate_up_bias.address<float>(),
                               .activation = config_.activation,
                               .out = weights.down.input(tokens, wide_.address())});
}

void Decoder::down(Stream& stream, const LayerStep& layer) {
  const LayerWeights& weights = layer.weights;
  const int64_t tokens = layer.batch.tokens;
  kernels::NextNorm next;
  if (layer.next != nullptr) {
    next = {.weight = layer.next->attn_norm.address<float>(),
            .epsilon = config_.norm_epsilon,
            .out = qkv_input(*layer.next, tokens)};
  }
  gemm_region(stream, "down", weights.down, tokens);
  join_residual(stream, weights.down, wide_, weights.down_bias, weights.post_ffn_norm, next, tokens);
}

void Decoder::norm(Stream& stream, const Buffer& weight, const kernels::GemmInput& out, const int32_t* rows) {
  kernels::rms_norm(stream, {.x = residual(max_tokens_),
                             .rows = rows,
                             .weight = weight.address<float>(),
                             .epsilon = config_.norm_epsilon,
                             .out = out});
}

/// A branch's last GEMM, which reads `input`: straight into the residual stream, or first summed with the parts of
/// other ranks, or normed, or both. Then the norm that the next branch begins with.
void Decoder::join_residual(Stream& stream, const kernels::PackedWeight& weight, const Buffer& input,
                            const Buffer& bias, const Buffer& post_norm, const kernels::NextNorm& next,
                            int64_t tokens) {
  const bool straight = !post_norm && peers_.tensor == nullptr;
  const Tensor branch = make_tensor(branch_.address(), product_dtype_, tokens, config_.hidden_size);
  kernels::gemm(stream, {.weight = &weight,
                         .input = weight.input(tokens, input.address()),
                         .bias = bias.address<float>(),
                         .accumulate = straight,
                         .out = straight ? residual(tokens) : branch,
                         .next = straight ? next : kernels::NextNorm{}});
  if (straight) return;
  all_reduce(stream, branch);
  kernels::add_norm(stream, {.y = branch,
                             .post_weight = post_norm.address<float>(),
                             .residual = residual(tokens),
                             .epsilon = config_.norm_epsilon,
                             .next = next});
}

void Decoder::all_reduce(Stream& stream, const Tensor& rows) {
  if (peers_.tensor == nullptr) return;
  stream.region("all-reduce");
  peers_.tensor->all_reduce(stream, rows);
}

Tensor Decoder::queries(const LayerStep& layer) const {
  return make_tensor(wide_.address(), product_dtype_, layer.batch.tokens, layer.weights.qkv.out());
}

Tensor Decoder::residual(int64_t tokens) const {
  return f32_tensor(hidden_.address<float>(), tokens, config_.hidden_size);
}

kernels::GemmInput Decoder::normed_input_of(const kernels::PackedWeight& weight, int64_t tokens, int turn) const {
  kernels::GemmInput input = weight.input(tokens, normed_.address());
  input.normed = true;
  input.turn = turn;
  return input;
}

}  // namespace caravel::model
