#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "device/device.h"
#include "device/dtype.h"

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
size_t gemm_input_bytes(InputForm form, int64_t tokens, int64_t width);
GemmInput make_gemm_input(InputForm form, int64_t tokens, int64_t width, std::byte* memory);

/// The same for what rms_norm makes and the next GEMM alone reads: for a few tokens every rank of a CPU makes a copy of
/// its own, which takes less time than waiting for one another.
size_t normed_input_bytes(Device& device, InputForm form, int64_t tokens, int64_t width);
GemmInput make_normed_input(InputForm form, int64_t tokens, int64_t width, std::byte* memory);

/// Writes x [tokens, width] into `out`.
void quantize_input(Stream& stream, const float* x, int64_t tokens, const GemmInput& out);

/// Rows of a weight as they lie in a file: [rows, width] of `dtype`.
struct WeightRows {
  const std::byte* data = nullptr;
  DType dtype = DType::kF32;
  int64_t rows = 0;
};

/// A weight matrix W [out, in], re-laid for how this device's kernels read it; no larger than the file's but for
/// padding of `out`. The form is opaque. Several matrices of the same `in` may be stacked along `out` and may differ in
/// dtype (Q and K in Q4_K, V in Q6_K): they are packed as parts, one after the other.
class PackedWeight {
 public:
  struct Part {
    DType dtype = DType::kF32;
    int64_t out_begin = 0;  // first row of the stacked matrix
    int64_t rows = 0;
    size_t offset = 0;  // where the part's packed bytes begin in data()
  };
  static constexpr int kMaxParts = 3;

  PackedWeight() = default;

  int64_t out() const { return out_; }
  int64_t in() const { return in_; }
  InputForm input_form() const { return form_; }
  std::span<const Part> parts() const { return {parts_, static_cast<size_t>(part_count_)}; }
  const std::byte* data() const { return buffer_.data(); }
  size_t bytes() const { return buffer_.size(); }
  explicit operator bool() const { return part_count_ != 0; }

 private:
  friend PackedWeight pack_weight(Stream& stream, std::span<const WeightRows> stacked, int64_t in, bool rotated);

  Part parts_[kMaxParts] = {};
  int part_count_ = 0;
  int64_t out_ = 0;
  int64_t in_ = 0;
  InputForm form_ = InputForm::kF32;
  Buffer buffer_;
};

/// What a weight that begins with `dtype` reads.
inline InputForm input_form_of(DType dtype) { return is_quantized(dtype) ? InputForm::kQ8 : InputForm::kF32; }

/// Bytes that `rows` rows of `in` elements of `dtype` take in a PackedWeight. `in` is a multiple of the dtype's block.
size_t packed_bytes(DType dtype, int64_t rows, int64_t in);

/// Re-lays up to PackedWeight::kMaxParts matrices, with all of the device's processors. Synchronous. rotated: their
/// rows are (rotate_rows()), and they read kQ8Rotated. Throws Unsupported when quantised and unquantised parts are
/// mixed, InvalidArgument when `in` is not a multiple of the dtype's block (or of 32 for kQ8).
PackedWeight pack_weight(Stream& stream, std::span<const WeightRows> stacked, int64_t in, bool rotated = false);

struct GemmArgs {
  const PackedWeight* weight = nullptr;
  GemmInput input;  // [tokens, in], in the weight's input_form()
  int64_t tokens = 0;
  float* out = nullptr;         // [tokens, out_stride]
  int64_t out_stride = 0;       // >= weight.out()
  const float* bias = nullptr;  // [out] or nullptr
  bool accumulate = false;      // out += instead of out =
};

/// out[t, o] = sum_i input[t, i] * W[o, i] (+ bias[o]) (+ out[t, o]). Each output is summed in the same order and with
/// the same operations whatever `tokens`, the position of the token in the batch and the number of threads ("one
/// arithmetic").
void gemm(Stream& stream, const GemmArgs& args);

struct EmbeddingArgs {
  const PackedWeight* table = nullptr;  // [vocabulary, width]
  const int32_t* ids = nullptr;         // [tokens]
  int64_t tokens = 0;
  float scale = 1.0F;
  float* out = nullptr;  // [tokens, width]
};

/// out[t] = scale * table[ids[t]], dequantised.
void embedding(Stream& stream, const EmbeddingArgs& args);

/// Dequantises rows as they lie in a file to f32 [rows, width]; host memory, any thread. Also the test's way to the
/// values that a block format means.
void dequantize_rows(DType dtype, const std::byte* data, int64_t rows, int64_t width, float* out);

/// Rows of f32 as a file would have them in Q8_0: of each block of 32 the scale max|x| / 127 as f16, and the nearest
/// levels to that scale. `width` is a multiple of 32. Host memory, any thread.
void quantize_rows_q8_0(const float* x, int64_t rows, int64_t width, std::byte* out);

/// Each block of 32 becomes its product with Hadamard's matrix over 32: times what InputForm::kQ8Rotated makes of an
/// input, it is what it was times the input. In place; `width` is a multiple of 32. Host memory, any thread.
void rotate_rows(float* x, int64_t rows, int64_t width);

}  // namespace caravel::kernels
