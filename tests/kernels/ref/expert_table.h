#pragma once

#include <cstdint>
#include <vector>

#include "kernels/expert_table.h"

namespace caravel::kernels::ref {

/// What choose_experts (kernels/expert_table.h) makes of one token's logits, in double precision; the tests' oracle.
struct ExpertChoice {
  std::vector<int32_t> chosen;
  std::vector<double> weights;
  double margin = 0;  // how much better the last that was chosen, expert or group, is than the best that was not
};
ExpertChoice choose_experts(const RouterRule& rule, const float* logits, const float* choice_bias);

/// An expert table on the host.
struct ExpertRows {
  std::vector<int32_t> row_begin;  // [experts + 1]
  std::vector<int32_t> rows;       // [tokens, per_token]
  std::vector<int32_t> row_token;  // [tokens * per_token]
};
/// What sort_by_expert makes of `chosen` [tokens, per_token].
ExpertRows sort_by_expert(const std::vector<int32_t>& chosen, int experts, int per_token);

}  // namespace caravel::kernels::ref
