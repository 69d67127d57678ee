#pragma once

#include <cstddef>
#include <cstdint>

#include "device/device.h"
#include "device/tensor.h"

namespace caravel::kernels {

/// What a GEMM reads its input as; which one is the weight's (PackedWeight::input_form()) and so the device's. On a CPU
/// quantised weights take 8-bit activations in blocks of 32 along the row, each with an f32 scale (max|x| / 127); F32,
/// F16 and BF16 weights take f32. kQ8Rotated is the same of each block times Hadamard's matrix (in Sylvester's order,
/// of ones and minus ones), for weights that were rotated too: the product is the same, and one element that is far
/// larger than its neighbours no longer takes all their precision (Ashkboos et al. 2024, QuaRot, section 4).
///
/// On a GPU all weights take kBf16, rows of BF16 without gaps, but F32 ones, which take kF32.
enum class InputForm : uint8_t { kF32, kQ8, kQ8Rotated, kBf16 };

/// Activations on their way into a GEMM: [tokens, width], written by the op before (rms_norm, gated_gemm,
/// paged_attention, quantize_input) in the form that the weight wants. A view of device memory, as Tensor is. kF32 is
/// rows of f32 without gaps on every device; how other forms lie in memory is the device's own affair.
struct GemmInput {
  InputForm form = InputForm::kF32;
  bool normed = false;        // a norm writes it and the next GEMM alone reads it, in whatever way suits both
  int turn = 0;               // of one that is `normed`: 0 or 1 (NextNorm, rms_norm.h)
  int64_t tokens = 0;         // a bound, as Tensor::rows
  int64_t width = 0;          // elements of a row; a multiple of 32 for the 8-bit forms
  std::byte* data = nullptr;  // aligned to 64 bytes; gemm_input_bytes(), or normed_input_bytes() where it is `normed`
};

/// f32 rows as a GEMM reads them.
inline GemmInput f32_input(float* rows, int64_t tokens, int64_t width) {
  return {.tokens = tokens, .width = width, .data = reinterpret_cast<std::byte*>(rows)};
}

/// Bytes that a GemmInput of `form` needs for up to `tokens` rows; the second of one that is `normed`.
size_t gemm_input_bytes(Device& device, InputForm form, int64_t tokens, int64_t width);
size_t normed_input_bytes(Device& device, InputForm form, int64_t tokens, int64_t width);

/// Writes x [out.tokens, out.width] into `out`.
void quantize_input(Stream& stream, const Tensor& x, const GemmInput& out);

}  // namespace caravel::kernels
