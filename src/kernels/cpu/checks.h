#pragma once

#include "base/check.h"
#include "kernels/gemm_input.h"
#include "kernels/packed_weight.h"

namespace caravel::kernels::cpu {

/// A CPU computes on f32.
inline void check_f32(const Tensor& tensor) {
  CARAVEL_CHECK(tensor.dtype == DType::kF32);
  CARAVEL_CHECK_GE(tensor.stride, tensor.width);
}

/// At least `rows` rows of just `width` elements.
inline void check_f32(const Tensor& tensor, int64_t rows, int64_t width) {
  check_f32(tensor);
  CARAVEL_CHECK_GE(tensor.rows, rows);
  CARAVEL_CHECK_EQ(tensor.width, width);
}

/// What an op other than rms_norm writes for a GEMM.
inline void check_output(const GemmInput& out, int64_t tokens, int64_t width) {
  CARAVEL_CHECK_EQ(out.tokens, tokens);
  CARAVEL_CHECK_EQ(out.width, width);
  CARAVEL_CHECK(!out.normed);
}

/// What a GEMM reads.
inline void check_input(const PackedWeight& weight, const GemmInput& input) {
  CARAVEL_CHECK(input.form == weight.input_form());
  CARAVEL_CHECK_EQ(input.width, weight.in());
}

/// A weight of gate and up, and what is written of them.
inline void check_gated(const PackedWeight& weight, const GemmInput& out, int64_t tokens) {
  CARAVEL_CHECK_EQ(weight.parts().size(), size_t{2});
  CARAVEL_CHECK_EQ(weight.parts()[0].rows, weight.parts()[1].rows);
  check_output(out, tokens, weight.parts()[0].rows);
}

}  // namespace caravel::kernels::cpu
