#pragma once

#include <cstdint>

#include "device/tensor.h"
#include "kernels/gemm_input.h"
#include "kernels/packed_weight.h"

namespace caravel::kernels {

struct HeadGemmArgs {
  const PackedWeight* weight = nullptr;  // experts() of [out, in]: the heads' matrices, one after the other
  GemmInput input;                       // [tokens, heads * in], in the weight's input_form()
  Tensor out;               // [tokens, ...], in product_dtype() (gemm.h): what a row has between heads stays
  int64_t head_stride = 0;  // elements from one head's outputs to the next one's
};

/// Every token through every head's own matrix: out[t, h * head_stride + o] = sum_i input[t, h * in + i] * W[h][o, i].
/// What gemm() of the head's elements by its matrix gives, to the bit.
void head_gemm(Stream& stream, const HeadGemmArgs& args);

}  // namespace caravel::kernels
