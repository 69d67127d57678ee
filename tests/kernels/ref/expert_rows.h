#pragma once

#include <cstdint>
#include <vector>

namespace caravel::kernels::ref {

/// What join_rows (kernels/expert_rows.h) adds up for each token, in double precision; the tests' oracle. rows:
/// [tokens * per_token, width]; weights, places: [tokens, per_token]; shared: [tokens, width], or empty; shared_gate:
/// logits [tokens], or empty; before: [tokens, width], or empty.
std::vector<double> join_rows(const std::vector<float>& rows, int64_t width, const std::vector<float>& weights,
                              const std::vector<int32_t>& places, int per_token, const std::vector<float>& shared,
                              const std::vector<float>& shared_gate, const std::vector<float>& before);

}  // namespace caravel::kernels::ref
