#pragma once

#include <cstdint>

#include "device/device.h"
#include "device/tensor.h"

namespace caravel::kernels {

struct ScaleQueriesArgs {
  Tensor q;                            // [tokens, heads * head_dim], in product_dtype() (gemm.h); in place
  const int32_t* positions = nullptr;  // [tokens]
  float growth = 0.0F;
  int32_t interval = 0;  // tokens; above 0
};

/// q[t] *= 1 + growth * ln(1 + floor(positions[t] / interval)), so that scores stay sharp among many keys (Llama 4,
/// Ministral 3). Rows of positions below the interval are left as they are, to the bit.
void scale_queries(Stream& stream, const ScaleQueriesArgs& args);

}  // namespace caravel::kernels
