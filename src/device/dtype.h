#pragma once

#include <cstdint>
#include <string_view>

namespace caravel {

/// How elements are stored. The block-quantised types are GGUF's: a block of `block_elements` consecutive elements of a
/// row takes `block_bytes` bytes. MXFP4 is one of them (E2M1 with an E8M0 scale of 32, "OCP Microscaling Formats (MX)
/// Specification"; the code that E8M0 has for NaN is read as infinity).
///
/// The 8-bit floats (E4M3 of "OCP 8-bit Floating Point Specification", without infinities; the two codes that it has
/// for NaN are read as 480, since no weight has them) have f32 scales apart from them, which their values are
/// multiplied by: one of each row, or with B128 one of each 128 elements of a row.
enum class DType : uint8_t {
  kF32,
  kF16,
  kBF16,
  kF8E4M3,
  kF8E4M3B128,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kMXFP4
};
inline constexpr int kDTypeCount = 14;

struct DTypeInfo {
  std::string_view name;  // as GGUF, safetensors and the command line spell it: "F32", "Q4_K", "F8_E4M3"
  int block_elements;     // 1, 32, 128 or 256
  int block_bytes;        // without scales that lie apart
};

const DTypeInfo& dtype_info(DType dtype);

/// Bytes of a row of `elements`, which must be a multiple of the block (a CHECK).
int64_t row_bytes(DType dtype, int64_t elements);

/// Scales of a row of `elements` that lie apart from it; 0: the type has none.
int64_t row_scales(DType dtype, int64_t elements);

inline bool is_float8(DType dtype) { return dtype == DType::kF8E4M3 || dtype == DType::kF8E4M3B128; }

/// GGUF's block-quantised types.
inline bool is_quantized(DType dtype) { return dtype >= DType::kQ4_0; }

}  // namespace caravel
