#pragma once

#include <cstdint>

namespace caravel::scheduler {

/// What it costs to bring a preempted group back, in any one unit (seconds, say). The engine fills it from the model
/// and the machine; preemption by cost takes the cheaper way (PagedAttention, SOSP'23, section 7.3: recompute wins at
/// small blocks, swap at large ones).
///
///   recompute(T) = T * token + T * (T + 1) / 2 * pair     T: tokens to compute again, a shared prompt's once
///   swap(B)      = 2 * B * block                          B: distinct blocks, out and in again
struct PreemptionCost {
  double token = 1e-3;  // the weights' part of computing one token in a full prefill chunk
  double pair = 1e-8;   // attention of one token to one other
  double block = 1e-4;  // copying one block (all layers of a KV group) to or from host memory

  double recompute(int64_t tokens) const {
    const auto t = static_cast<double>(tokens);
    return t * token + t * (t + 1) / 2 * pair;
  }
  double swap(int64_t blocks) const { return 2 * static_cast<double>(blocks) * block; }
};

}  // namespace caravel::scheduler
