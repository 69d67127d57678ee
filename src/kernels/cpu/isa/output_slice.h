#pragma once

// Included by the per-ISA sources alone.

#include "kernels/cpu/isa/input_row.h"

namespace caravel::kernels::CARAVEL_ISA {

/// Elements of a row that the 8-bit form stores together.
constexpr int64_t kInputBlock = 32;

/// Elements that an op computes on its stack before it stores them in the form that the next GEMM reads; a multiple of
/// kInputBlock.
constexpr int64_t kSlice = 512;

/// Stores columns begin .. begin+count-1 of row `token`; for the 8-bit form, multiples of kInputBlock.
static inline void store_input_slice(const InputPlanes& out, int64_t token, int64_t begin, int64_t count,
                                     const float* values) {
  const int64_t offset = token * out.width + begin;
  InputPlanes slice;
  slice.form = out.form;
  slice.width = count;
  if (out.form == InputForm::kF32) {
    slice.f32 = out.f32 + offset;
  } else {
    slice.q8 = out.q8 + offset;
    slice.scales = out.scales + offset / kInputBlock;
    slice.sums = out.sums + offset / kInputBlock;
    slice.totals = out.totals + 2 * offset / kInputBlock;
  }
  store_input_row(slice, 0, values);
}

}  // namespace caravel::kernels::CARAVEL_ISA
