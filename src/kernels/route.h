#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/expert_table.h"
#include "kernels/gemm_input.h"
#include "kernels/packed_weight.h"

namespace caravel::kernels {

struct RouteArgs {
  Tensor x;  // f32 [tokens, width]: the residual stream
  const float* norm_weight = nullptr;
  float norm_epsilon = 1e-5F;
  const PackedWeight* router = nullptr;  // [at least rule.experts, width], which reads f32
  const float* router_bias = nullptr;    // by its rows, or nullptr
  const float* choice_bias = nullptr;    // as of ChooseExpertsArgs
  RouterRule rule;
  std::byte* workspace = nullptr;  // route_workspace() bytes

  Tensor logits;  // f32 [tokens, rows of the router]
  ExpertTable table;
  GemmInput rows;    // [table.row_count(), width]: as spread_rows() has them, of normed rows
  GemmInput shared;  // [tokens, width]: the normed rows for experts that every token has; without memory: none
};

/// How a layer with a router begins, as one op that a device may take in few kernels: rms_norm() of the residual
/// stream, the router's logits, choose_experts(), sort_by_expert() and spread_rows(). The norm's rows need not lie
/// anywhere but in `shared`, nor be summed up in the order of rms_norm().
void route(Stream& stream, const RouteArgs& args);

/// shares_f32: RouteArgs::shared will be there, of kF32.
size_t route_workspace(Device& device, int64_t tokens, int64_t width, int64_t router_rows, bool shares_f32);

}  // namespace caravel::kernels
