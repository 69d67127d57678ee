#pragma once

#include "kernels/full_attention.h"

namespace caravel::kernels::ref {

/// The contract of kernels/full_attention.h in double precision, on host memory; the tests' oracle. Of args, workspace
/// and out do not count. out: [tokens, heads * head_dim]
void full_attention(const FullAttentionArgs& args, double* out);

}  // namespace caravel::kernels::ref
