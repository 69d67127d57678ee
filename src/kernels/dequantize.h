#pragma once

#include <cstddef>
#include <cstdint>

#include "device/dtype.h"
#include "kernels/packed_weight.h"

namespace caravel::kernels {

/// Dequantises rows as they lie in a file to f32 [rows, width]; host memory, any thread. Also the test's way to the
/// values that a block format means.
void dequantize_rows(const WeightRows& rows, int64_t width, float* out);
/// Of rows without gaps, and without scales apart from them.
void dequantize_rows(DType dtype, const std::byte* data, int64_t rows, int64_t width, float* out);

}  // namespace caravel::kernels
