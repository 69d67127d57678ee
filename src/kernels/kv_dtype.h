#pragma once

#include <cstdint>

namespace caravel::kernels {

/// How keys and values are stored: as floats, or as 8-bit integers with an f32 scale (max|x| / 127) for each token's
/// key and value in each head.
enum class KvDtype : uint8_t { kF32, kF16, kBF16, kInt8 };

/// As the command line spells it.
const char* kv_dtype_name(KvDtype dtype);

}  // namespace caravel::kernels
