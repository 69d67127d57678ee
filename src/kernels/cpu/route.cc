#include "kernels/route.h"

#include "kernels/cpu/checks.h"
#include "kernels/expert_rows.h"
#include "kernels/gemm.h"
#include "kernels/rms_norm.h"

namespace caravel::kernels::cpu {

void route(Stream& stream, const RouteArgs& args);
size_t route_workspace(int64_t tokens, int64_t width, int64_t router_rows, bool shares_f32);

size_t route_workspace(int64_t tokens, int64_t width, int64_t /*router_rows*/, bool shares_f32) {
  return shares_f32 ? 0 : static_cast<size_t>(tokens * width) * sizeof(float);
}

/// Op by op, over normed rows of f32, which lie where experts that every token has read them, where those read f32.
void route(Stream& stream, const RouteArgs& args) {
  const int64_t tokens = args.table.tokens;
  const int64_t width = args.rows.width;
  const bool shares = args.shared.data != nullptr;
  const bool shares_f32 = shares && args.shared.form == InputForm::kF32;
  const GemmInput normed = {.tokens = tokens, .width = width, .data = shares_f32 ? args.shared.data : args.workspace};
  const Tensor normed_rows = f32_tensor(reinterpret_cast<float*>(normed.data), tokens, width);
  stream.region("norm");
  rms_norm(stream, {.x = args.x, .weight = args.norm_weight, .epsilon = args.norm_epsilon, .out = normed});
  if (shares && !shares_f32) quantize_input(stream, normed_rows, args.shared);
  const PackedWeight& router = *args.router;
  stream.region("router", static_cast<double>(router.bytes()),
                static_cast<double>(router.in() * router.out()) * static_cast<double>(tokens));
  gemm(stream, {.weight = &router, .input = normed, .bias = args.router_bias, .out = args.logits});
  choose_experts(stream,
                 {.logits = args.logits, .choice_bias = args.choice_bias, .rule = args.rule, .table = args.table});
  sort_by_expert(stream, args.table);
  stream.region("spread");
  spread_rows(stream, {.x = normed_rows, .table = args.table, .out = args.rows});
}

}  // namespace caravel::kernels::cpu
