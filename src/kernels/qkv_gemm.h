#pragma once

#include "kernels/gemm_input.h"
#include "kernels/kv_cache.h"
#include "kernels/packed_weight.h"

namespace caravel::kernels {

struct QkvGemmArgs {
  const PackedWeight* weight = nullptr;  // [Q heads, K heads, V heads; in]
  GemmInput input;                       // [tokens, in], in the weight's input_form()
  const float* bias = nullptr;           // [out] or nullptr
  RotaryCacheArgs rotary;                // of what comes of it, rotary.qkv
};

/// gemm() of the weight into rotary.qkv, and rotary_cache() of that, to the bit; only Q's part of rotary.qkv is
/// promised to be written (region 1 of the layer).
void qkv_gemm(Stream& stream, const QkvGemmArgs& args);

}  // namespace caravel::kernels
