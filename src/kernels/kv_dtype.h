#pragma once

#include <cstdint>

namespace caravel::kernels {

/// How keys and values are stored: as floats, as 8-bit integers with an f32 scale (max|x| / 127) for each token's key
/// and value in each head, or, on a GPU alone, as 8-bit floats of four exponent bits (e4m3, without infinities: what is
/// larger than 448 becomes that).
enum class KvDtype : uint8_t { kF32, kF16, kBF16, kInt8, kFp8 };

/// As the command line spells it.
const char* kv_dtype_name(KvDtype dtype);

}  // namespace caravel::kernels
