#include "kernels/quantize_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "device/dtype.h"
#include "kernels/float8.h"
#include "kernels/half.h"

namespace caravel::kernels {
namespace {

constexpr int kBlock = 32;

void quantize_block(const float* x, std::byte* out) {
  float most = 0;
  for (int i = 0; i < kBlock; ++i) most = std::max(most, std::abs(x[i]));
  const uint16_t d = float_to_half(most / 127);
  const float scale = half_to_float(d);
  std::memcpy(out, &d, sizeof(d));
  for (int i = 0; i < kBlock; ++i) {
    const float level = scale > 0 ? std::clamp(std::nearbyint(x[i] / scale), -127.0F, 127.0F) : 0.0F;
    out[sizeof(d) + static_cast<size_t>(i)] = static_cast<std::byte>(static_cast<int8_t>(level));
  }
}

}  // namespace

void round_rows_bf16(const float* x, int64_t rows, int64_t width, std::byte* out) {
  for (int64_t i = 0; i < rows * width; ++i) {
    const auto bits = std::bit_cast<uint32_t>(x[i]);
    const uint32_t nearest = std::isnan(x[i]) ? bits | 0x400000U : bits + 0x7fffU + (bits >> 16 & 1U);
    const auto upper = static_cast<uint16_t>(nearest >> 16);
    std::memcpy(out + 2 * i, &upper, sizeof(upper));
  }
}

void rotate_rows(float* x, int64_t rows, int64_t width) {
  CARAVEL_CHECK_EQ(width % kBlock, 0);
  for (float* block = x; block != x + rows * width; block += kBlock) {
    for (int half = kBlock / 2; half > 0; half /= 2) {
      for (int i = 0; i < kBlock; ++i) {
        if ((i & half) != 0) continue;
        const float a = block[i];
        const float b = block[i + half];
        block[i] = a + b;
        block[i + half] = a - b;
      }
    }
    for (int i = 0; i < kBlock; ++i) block[i] /= kBlock;
  }
}

void quantize_rows_q8_0(const float* x, int64_t rows, int64_t width, std::byte* out) {
  CARAVEL_CHECK_EQ(width % kBlock, 0);
  const int64_t bytes = row_bytes(DType::kQ8_0, kBlock);
  for (int64_t b = 0; b < rows * width / kBlock; ++b) quantize_block(x + b * kBlock, out + b * bytes);
}

void quantize_rows_f8(const float* x, int64_t rows, int64_t width, std::byte* out, float* scales) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* const row = x + r * width;
    float most = 0;
    for (int64_t i = 0; i < width; ++i) most = std::max(most, std::abs(row[i]));
    // Of a row of zeros any scale does; one so small that it rounds to zero is none.
    const float scale = most / kLargestF8 > 0 ? most / kLargestF8 : 1.0F;
    for (int64_t i = 0; i < width; ++i) out[r * width + i] = static_cast<std::byte>(float_to_f8(row[i] / scale));
    scales[r] = scale;
  }
}

}  // namespace caravel::kernels
