#include "model/moe/expert_layer.h"

#include <algorithm>

#include "kernels/expert_gemm.h"
#include "kernels/expert_rows.h"
#include "kernels/gemm.h"
#include "kernels/routed_gemm.h"
#include "model/gemm_region.h"

namespace caravel::model {
namespace {

template <typename Matrix>
bool reads_f32(const Matrix& weight) {
  return weight && weight.input_form() == kernels::InputForm::kF32;
}

}  // namespace

template <typename Matrix, typename Vector>
ActivationSizes<ExpertLayer::Place> ExpertLayer::sizes(Device& device, const ModelConfig& config,
                                                       const WeightsOf<Matrix, Vector>& weights, int64_t max_tokens) {
  const auto rows_of = [&](DType dtype, int64_t rows, int64_t width) {
    return static_cast<size_t>(rows * row_bytes(dtype, width));
  };
  const auto input_of = [&](const Matrix& weight, int64_t rows) {
    return kernels::gemm_input_bytes(device, weight.input_form(), rows, weight.in());
  };
  const DType product = kernels::product_dtype(device);
  const int64_t max_rows = max_tokens * config.experts.rule.per_token;
  ActivationSizes<Place> sizes;
  for (const LayerOf<Matrix, Vector>& layer : weights.layers) {
    if (!layer.router) continue;
    sizes.raise(kWorkspace, kernels::route_workspace(device, max_tokens, config.hidden_size, layer.router.out(),
                                                     reads_f32(layer.gate_up)));
    sizes.raise(kTable, kernels::expert_table_bytes(max_tokens, config.experts.rule));
    sizes.raise(kLogits, rows_of(DType::kF32, max_tokens, layer.router.out()));
    sizes.raise(kRows, input_of(layer.expert_gate_up, max_rows));
    sizes.raise(kRows, rows_of(product, max_rows, config.hidden_size));
    sizes.raise(kBetween, input_of(layer.expert_down, max_rows));
    if (!layer.gate_up) continue;
    sizes.raise(kSharedInput, input_of(layer.gate_up, max_tokens));
    sizes.raise(kSharedBetween, input_of(layer.down, max_tokens));
    sizes.raise(kShared, rows_of(product, max_tokens, config.hidden_size));
  }
  return sizes;
}

size_t ExpertLayer::activation_bytes(Device& device, const ModelConfig& config, const WeightLayout& weights,
                                     int64_t max_tokens) {
  return sizes(device, config, weights, max_tokens).total();
}

ExpertLayer::ExpertLayer(Device& device, const ModelConfig& config, const ModelWeights& weights, int64_t max_tokens)
    : spec_(config.experts),
      activation_(config.activation),
      norm_epsilon_(config.norm_epsilon),
      product_dtype_(kernels::product_dtype(device)),
      memory_(device, sizes(device, config, weights, max_tokens)) {}

kernels::ExpertTable ExpertLayer::table(int64_t tokens) const {
  return kernels::expert_table(memory_[kTable].address(), tokens, spec_.rule);
}

Tensor ExpertLayer::logits(const LayerWeights& weights, int64_t tokens) const {
  return f32_tensor(memory_[kLogits].address<float>(), tokens, weights.router.out());
}

void ExpertLayer::gate_and_up(Stream& stream, const LayerWeights& weights, const Tensor& residual) {
  const int64_t tokens = residual.rows;
  const kernels::ExpertTable by_expert = table(tokens);
  const kernels::GemmInput rows = weights.expert_gate_up.input(by_expert.row_count(), memory_[kRows].address());
  kernels::GemmInput shared;
  if (weights.gate_up) shared = weights.gate_up.input(tokens, memory_[kSharedInput].address());
  // How many experts' matrices are read is not known before the router has run, and so not what they take.
  kernels::routed_gated_gemm(
      stream, {.route = {.x = residual,
                         .norm_weight = weights.ffn_norm.address<float>(),
                         .norm_epsilon = norm_epsilon_,
                         .router = &weights.router,
                         .router_bias = weights.router_bias.address<float>(),
                         .choice_bias = weights.choice_bias.address<float>(),
                         .rule = spec_.rule,
                         .workspace = memory_[kWorkspace].address(),
                         .logits = logits(weights, tokens),
                         .table = by_expert,
                         .rows = rows,
                         .shared = shared},
               .gemm = {.weight = &weights.expert_gate_up,
                        .input = rows,
                        .table = by_expert,
                        .bias = weights.expert_gate_up_bias.address<float>(),
                        .activation = activation_,
                        .out = weights.expert_down.input(by_expert.row_count(), memory_[kBetween].address())}});
  if (!weights.gate_up) return;
  gemm_region(stream, "gate and up", weights.gate_up, tokens);
  kernels::gated_gemm(stream, {.weight = &weights.gate_up,
                               .input = shared,
                               .bias = weights.gate_up_bias.address<float>(),
                               .activation = activation_,
                               .out = weights.down.input(tokens, memory_[kSharedBetween].address())});
}

void ExpertLayer::down(Stream& stream, const LayerWeights& weights, const Tensor& out, bool accumulate,
                       const kernels::NextNorm& next) {
  const kernels::ExpertTable by_expert = table(out.rows);
  kernels::JoinRowsArgs join = {
      .rows = make_tensor(memory_[kRows].address(), product_dtype_, by_expert.row_count(), out.width),
      .table = by_expert,
      .accumulate = accumulate,
      .out = out,
      .next = next};
  stream.region("experts down");
  kernels::expert_gemm(stream, {.weight = &weights.expert_down,
                                .input = weights.expert_down.input(by_expert.row_count(), memory_[kBetween].address()),
                                .table = by_expert,
                                .table_is_settled = true,
                                .bias = weights.expert_down_bias.address<float>(),
                                .out = join.rows});
  if (weights.down) {
    join.shared = make_tensor(memory_[kShared].address(), product_dtype_, out.rows, out.width);
    gemm_region(stream, "down", weights.down, out.rows);
    kernels::gemm(stream, {.weight = &weights.down,
                           .input = weights.down.input(out.rows, memory_[kSharedBetween].address()),
                           .bias = weights.down_bias.address<float>(),
                           .out = join.shared});
  }
  if (spec_.shared_gate) {
    join.shared_gate = logits(weights, out.rows);
    join.shared_gate.data = memory_[kLogits].address<float>() + spec_.rule.experts;
    join.shared_gate.width = 1;
  }
  stream.region("join");
  kernels::join_rows(stream, join);
}

}  // namespace caravel::model
