#pragma once

#include <cstddef>
#include <cstdint>

namespace caravel::kernels {

/// Rows of f32 as a file would have them in Q8_0: of each block of 32 the scale max|x| / 127 as f16, and the nearest
/// levels to that scale. `width` is a multiple of 32. Host memory, any thread.
void quantize_rows_q8_0(const float* x, int64_t rows, int64_t width, std::byte* out);

/// Rows of f32 as a file would have them in F8_E4M3: of each row the scale max|x| / 448 into `scales` [rows], and the
/// nearest codes to that scale. Host memory, any thread.
void quantize_rows_f8(const float* x, int64_t rows, int64_t width, std::byte* out, float* scales);

/// The same in BF16, each element to the nearest, ties to even. Host memory, any thread.
void round_rows_bf16(const float* x, int64_t rows, int64_t width, std::byte* out);

/// Each block of 32 becomes its product with Hadamard's matrix over 32: times what InputForm::kQ8Rotated makes of an
/// input, it is what it was times the input. In place; `width` is a multiple of 32. Host memory, any thread.
void rotate_rows(float* x, int64_t rows, int64_t width);

}  // namespace caravel::kernels
