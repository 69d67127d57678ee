#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "device/dtype.h"
#include "kernels/dequantize.h"
#include "kernels/packed_weight.h"
#include "kernels/test_seed.h"

namespace caravel::kernels {

inline const DType kAllTypes[] = {DType::kF32,  DType::kF16,  DType::kBF16, DType::kF8E4M3, DType::kF8E4M3B128,
                                  DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ5_1,   DType::kQ8_0,
                                  DType::kQ4_K, DType::kQ5_K, DType::kQ6_K, DType::kMXFP4};

inline std::vector<float> random_floats(size_t count, unsigned seed, float scale = 1.0F) {
  std::mt19937 random(seed + test_seed());
  std::normal_distribution<float> normal(0.0F, scale);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

/// Rows of any type: every bit of a block is random but its f16 scales, which are finite, have either sign, and are
/// denormal in one block of eight; or its E8M0.
inline std::vector<std::byte> random_rows(DType dtype, int64_t rows, int64_t width, unsigned seed) {
  std::mt19937 random(seed + test_seed());
  std::vector<std::byte> bytes(static_cast<size_t>(rows * row_bytes(dtype, width)));
  if (dtype == DType::kF32) {
    const std::vector<float> values = random_floats(static_cast<size_t>(rows * width), seed, 0.1F);
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }
  const auto put_scale = [&](size_t at) {
    uint16_t half = static_cast<uint16_t>((random() & 0x83ffU) | (random() % 8 == 0 ? 0 : (4 + random() % 4) << 10));
    if (dtype == DType::kF16) half = static_cast<uint16_t>((random() & 0x83ffU) | (random() % 15) << 10);
    if (dtype == DType::kBF16) half = static_cast<uint16_t>((random() & 0x807fU) | (120 + random() % 7) << 7);
    std::memcpy(bytes.data() + at, &half, sizeof(half));
  };
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  if (is_float8(dtype)) return bytes;
  const auto block = static_cast<size_t>(dtype_info(dtype).block_bytes);
  for (size_t at = 0; at < bytes.size(); at += block) {
    if (dtype == DType::kMXFP4) {
      bytes[at] = random() % 8 == 0 ? std::byte{0} : static_cast<std::byte>(110 + random() % 8);
      continue;
    }
    const bool minima =
        dtype == DType::kQ4_1 || dtype == DType::kQ5_1 || dtype == DType::kQ4_K || dtype == DType::kQ5_K;
    put_scale(at + (dtype == DType::kQ6_K ? 208 : 0));
    if (minima) put_scale(at + 2);
  }
  return bytes;
}

/// Rows of MXFP4 of two blocks, one for each scale that E8M0 has, in order: both have every code, and the second that
/// scale alone.
inline std::vector<std::byte> rows_of_every_e8m0() {
  std::vector<std::byte> bytes;
  for (int scale = 0; scale < 256; ++scale) {
    for (const int of_block : {127, scale}) {
      bytes.push_back(static_cast<std::byte>(of_block));
      for (int i = 0; i < 16; ++i) bytes.push_back(static_cast<std::byte>(i | (15 - i) << 4));
    }
  }
  return bytes;
}

/// What rows have beside their bytes: scales of either sign, of every size that their values make sense with.
inline std::vector<float> random_scales(DType dtype, int64_t rows, int64_t width, unsigned seed) {
  return random_floats(static_cast<size_t>(rows * row_scales(dtype, width)), seed, 0.001F);
}

inline std::vector<float> dequantized(const WeightRows& rows, int64_t width) {
  std::vector<float> values(static_cast<size_t>(rows.rows * width));
  dequantize_rows(rows, width, values.data());
  return values;
}

inline std::vector<float> dequantized(DType dtype, const std::vector<std::byte>& rows, int64_t width) {
  const int64_t count = static_cast<int64_t>(rows.size()) / row_bytes(dtype, width);
  std::vector<float> values(static_cast<size_t>(count * width));
  dequantize_rows(dtype, rows.data(), count, width, values.data());
  return values;
}

}  // namespace caravel::kernels
