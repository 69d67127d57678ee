#pragma once

#include <cstddef>
#include <cstdint>

#include "device/device.h"

namespace caravel::kernels {

/// What a GEMM reads its input as. Quantised weights take 8-bit activations in blocks of 32 along the row, each with an
/// f32 scale (max|x| / 127); F32, F16 and BF16 weights take f32. kQ8Rotated is the same of each block times Hadamard's
/// matrix (in Sylvester's order, of ones and minus ones), for weights that were rotated too: the product is the same,
/// and one element that is far larger than its neighbours no longer takes all their precision (Ashkboos et al. 2024,
/// QuaRot, section 4).
enum class InputForm : uint8_t { kF32, kQ8, kQ8Rotated };

/// Activations on their way into a GEMM: [tokens, width], written row by row by the op before (rms_norm, activation,
/// paged_attention, quantize_input) in the form that the weight wants. Pointers are device memory.
struct GemmInput {
  InputForm form = InputForm::kF32;
  int64_t width = 0;        // elements of a row; a multiple of 32 for the 8-bit forms
  float* f32 = nullptr;     // kF32: [tokens, width]
  int8_t* q8 = nullptr;     // 8 bits: [tokens, width]
  float* scales = nullptr;  // 8 bits: [tokens, width / 32]
  float* sums = nullptr;    // 8 bits: [tokens, width / 32] scale * sum of the block's q8 (weights with minima need it)
  int16_t* totals = nullptr;  // 8 bits: [tokens, width / 16] sum of 16 q8 (weights with an offset need it)
  int64_t copy_bytes = 0;     // not 0: every rank has a copy of its own, this far from the one before
};

/// Bytes that a GemmInput of `form` needs for `tokens` rows, and the same laid out in `memory` (64-byte aligned).
size_t gemm_input_bytes(Device& device, InputForm form, int64_t tokens, int64_t width);
GemmInput make_gemm_input(InputForm form, int64_t tokens, int64_t width, std::byte* memory);

/// The same for what rms_norm makes and the next GEMM alone reads: for a few tokens every rank of a CPU makes a copy of
/// its own, which takes less time than waiting for one another.
size_t normed_input_bytes(Device& device, InputForm form, int64_t tokens, int64_t width);
GemmInput make_normed_input(InputForm form, int64_t tokens, int64_t width, std::byte* memory);

/// Writes x [tokens, width] into `out`.
void quantize_input(Stream& stream, const float* x, int64_t tokens, const GemmInput& out);

}  // namespace caravel::kernels
