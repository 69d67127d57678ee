#pragma once

#include <cstdint>
#include <string_view>

namespace caravel {

/// How elements are stored. The block-quantised types are GGUF's: a block of `block_elements` consecutive elements of a
/// row takes `block_bytes` bytes.
enum class DType : uint8_t { kF32, kF16, kBF16, kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ8_0, kQ4_K, kQ5_K, kQ6_K };
inline constexpr int kDTypeCount = 11;

struct DTypeInfo {
  std::string_view name;  // as GGUF and the command line spell it: "F32", "Q4_K"
  int block_elements;     // 1, 32 or 256
  int block_bytes;
};

const DTypeInfo& dtype_info(DType dtype);

/// Bytes of a row of `elements`, which must be a multiple of the block (a CHECK).
int64_t row_bytes(DType dtype, int64_t elements);

inline bool is_quantized(DType dtype) { return dtype >= DType::kQ4_0; }

}  // namespace caravel
