#include "model/moe/expert_layer.h"

#include <algorithm>

#include "kernels/expert_gemm.h"
#include "kernels/expert_rows.h"
#include "kernels/gemm.h"
#include "kernels/routed_gemm.h"
#include "model/gemm_region.h"

namespace caravel::model {
namespace {

struct Sizes {
  size_t workspace = 0, logits = 0, table = 0, shared_input = 0, shared_between = 0, shared = 0, rows = 0, between = 0;

  size_t total() const {
    return workspace + logits + table + shared_input + shared_between + shared + rows + between;  // bytes
  }
};

template <typename Matrix>
bool reads_f32(const Matrix& weight) {
  return weight && weight.input_form() == kernels::InputForm::kF32;
}

template <typename Matrix, typename Vector>
Sizes sizes_of(Device& device, const ModelConfig& config, const WeightsOf<Matrix, Vector>& weights,
               int64_t max_tokens) {
  const auto raise = [](size_t& bytes, size_t needed) { bytes = std::max(bytes, needed); };
  const auto rows_of = [&](DType dtype, int64_t rows, int64_t width) {
    return static_cast<size_t>(rows * row_bytes(dtype, width));
  };
  const auto input_of = [&](const Matrix& weight, int64_t rows) {
    return kernels::gemm_input_bytes(device, weight.input_form(), rows, weight.in());
  };
  const DType product = kernels::product_dtype(device);
  const int64_t max_rows = max_tokens * config.experts.rule.per_token;
  Sizes sizes;
  for (const LayerOf<Matrix, Vector>& layer : weights.layers) {
    if (!layer.router) continue;
    raise(sizes.workspace, kernels::route_workspace(device, max_tokens, config.hidden_size, layer.router.out(),
                                                    reads_f32(layer.gate_up)));
    sizes.table = kernels::expert_table_bytes(max_tokens, config.experts.rule);
    raise(sizes.logits, rows_of(DType::kF32, max_tokens, layer.router.out()));
    raise(sizes.rows, input_of(layer.expert_gate_up, max_rows));
    raise(sizes.rows, rows_of(product, max_rows, config.hidden_size));
    raise(sizes.between, input_of(layer.expert_down, max_rows));
    if (!layer.gate_up) continue;
    raise(sizes.shared_input, input_of(layer.gate_up, max_tokens));
    raise(sizes.shared_between, input_of(layer.down, max_tokens));
    sizes.shared = rows_of(product, max_tokens, config.hidden_size);
  }
  return sizes;
}

}  // namespace

template <typename Matrix, typename Vector>
size_t ExpertLayer::activation_bytes(Device& device, const ModelConfig& config,
                                     const WeightsOf<Matrix, Vector>& weights, int64_t max_tokens) {
  return sizes_of(device, config, weights, max_tokens).total();
}
template size_t ExpertLayer::activation_bytes(Device& device, const ModelConfig& config, const WeightLayout& weights,
                                              int64_t max_tokens);
template size_t ExpertLayer::activation_bytes(Device& device, const ModelConfig& config,
                                              const WeightsOf<kernels::PackedWeight, Buffer>& weights,
                                              int64_t max_tokens);

ExpertLayer::ExpertLayer(Device& device, const ModelConfig& config, const ModelWeights& weights, int64_t max_tokens)
    : spec_(config.experts),
      activation_(config.activation),
      norm_epsilon_(config.norm_epsilon),
      product_dtype_(kernels::product_dtype(device)) {
  const Sizes sizes = sizes_of(device, config, weights, max_tokens);
  workspace_ = device.allocate(sizes.workspace);
  logits_ = device.allocate(sizes.logits);
  table_ = device.allocate(sizes.table);
  shared_input_ = device.allocate(sizes.shared_input);
  shared_between_ = device.allocate(sizes.shared_between);
  shared_ = device.allocate(sizes.shared);
  rows_ = device.allocate(sizes.rows);
  between_ = device.allocate(sizes.between);
}

size_t ExpertLayer::activation_bytes() const {
  size_t bytes = 0;
  for (const Buffer* buffer :
       {&workspace_, &logits_, &table_, &shared_input_, &shared_between_, &shared_, &rows_, &between_}) {
    bytes += buffer->size();
  }
  return bytes;
}

kernels::ExpertTable ExpertLayer::table(int64_t tokens) const {
  return kernels::expert_table(table_.address(), tokens, spec_.rule);
}

Tensor ExpertLayer::logits(const LayerWeights& weights, int64_t tokens) const {
  return f32_tensor(logits_.address<float>(), tokens, weights.router.out());
}

void ExpertLayer::gate_and_up(Stream& stream, const LayerWeights& weights, const Tensor& residual) {
  const int64_t tokens = residual.rows;
  const kernels::ExpertTable by_expert = table(tokens);
  const kernels::GemmInput rows = weights.expert_gate_up.input(by_expert.row_count(), rows_.address());
  kernels::GemmInput shared;
  if (weights.gate_up) shared = weights.gate_up.input(tokens, shared_input_.address());
  // How many experts' matrices are read is not known before the router has run, and so not what they take.
  kernels::routed_gated_gemm(stream,
                             {.route = {.x = residual,
                                        .norm_weight = weights.ffn_norm.address<float>(),
                                        .norm_epsilon = norm_epsilon_,
                                        .router = &weights.router,
                                        .router_bias = weights.router_bias.address<float>(),
                                        .choice_bias = weights.choice_bias.address<float>(),
                                        .rule = spec_.rule,
                                        .workspace = workspace_.address(),
                                        .logits = logits(weights, tokens),
                                        .table = by_expert,
                                        .rows = rows,
                                        .shared = shared},
                              .gemm = {.weight = &weights.expert_gate_up,
                                       .input = rows,
                                       .table = by_expert,
                                       .bias = weights.expert_gate_up_bias.address<float>(),
                                       .activation = activation_,
                                       .out = weights.expert_down.input(by_expert.row_count(), between_.address())}});
  if (!weights.gate_up) return;
  gemm_region(stream, "gate and up", weights.gate_up, tokens);
  kernels::gated_gemm(stream, {.weight = &weights.gate_up,
                               .input = shared,
                               .bias = weights.gate_up_bias.address<float>(),
                               .activation = activation_,
                               .out = weights.down.input(tokens, shared_between_.address())});
}

void ExpertLayer::down(Stream& stream, const LayerWeights& weights, const Tensor& out, bool accumulate,
                       const kernels::NextNorm& next) {
  const kernels::ExpertTable by_expert = table(out.rows);
  kernels::JoinRowsArgs join = {.rows = make_tensor(rows_.address(), product_dtype_, by_expert.row_count(), out.width),
                                .table = by_expert,
                                .accumulate = accumulate,
                                .out = out,
                                .next = next};
  stream.region("experts down");
  kernels::expert_gemm(stream, {.weight = &weights.expert_down,
                                .input = weights.expert_down.input(by_expert.row_count(), between_.address()),
                                .table = by_expert,
                                .table_is_settled = true,
                                .bias = weights.expert_down_bias.address<float>(),
                                .out = join.rows});
  if (weights.down) {
    join.shared = make_tensor(shared_.address(), product_dtype_, out.rows, out.width);
    gemm_region(stream, "down", weights.down, out.rows);
    kernels::gemm(stream, {.weight = &weights.down,
                           .input = weights.down.input(out.rows, shared_between_.address()),
                           .bias = weights.down_bias.address<float>(),
                           .out = join.shared});
  }
  if (spec_.shared_gate) {
    join.shared_gate = logits(weights, out.rows);
    join.shared_gate.data = logits_.address<float>() + spec_.rule.experts;
    join.shared_gate.width = 1;
  }
  stream.region("join");
  kernels::join_rows(stream, join);
}

}  // namespace caravel::model
