#include "kernels/dequantize.h"

#include <cstring>

#include "kernels/block_format.h"
#include "kernels/float8.h"

namespace caravel::kernels {
namespace {

template <DType kType>
void dequantize_row(const std::byte* row, int64_t width, float* out) {
  constexpr QuantFormat kFormat = quant_format(kType);
  for (int64_t b = 0; b < width / 32; ++b) {
    const QuantBlock block = read_quant_block<kType>(row, b);
    const float d = kFormat.codes ? half_of_e8m0(static_cast<uint8_t>(block.d)) : half_to_float(block.d);
    const float m = half_to_float(block.m);
    for (int i = 0; i < 32; ++i) {
      const uint32_t four = block.levels[i / 4];
      const uint32_t stored = four >> (8 * (i % 4)) & 0xffU;
      const int level = static_cast<int>(kFormat.codes ? kE2M1Levels[stored & 15] : stored);
      float* to = out + 32 * b + i;
      if constexpr (!kFormat.super) {
        *to = d * static_cast<float>(level - kFormat.offset) + (kFormat.minima ? m : 0.0F);
      } else {
        const int sub_block = i / 16;
        const float scale = d * static_cast<float>(block.scale[sub_block]);
        const float minimum = kFormat.minima ? m * static_cast<float>(block.minimum) : 0.0F;
        *to = scale * static_cast<float>(level - kFormat.offset) - minimum;
      }
    }
  }
}

}  // namespace

void dequantize_rows(DType dtype, const std::byte* data, int64_t rows, int64_t width, float* out) {
  const int64_t stride = row_bytes(dtype, width);
  for (int64_t r = 0; r < rows; ++r) {
    const std::byte* row = data + r * stride;
    float* to = out + r * width;
    switch (dtype) {
      case DType::kF32:
        std::memcpy(to, row, static_cast<size_t>(stride));
        break;
      case DType::kF16:
      case DType::kBF16:
        for (int64_t i = 0; i < width; ++i) {
          const uint16_t bits = internal::read_u16(reinterpret_cast<const uint8_t*>(row) + 2 * i);
          to[i] = dtype == DType::kF16 ? half_to_float(bits) : bfloat_to_float(bits);
        }
        break;
      case DType::kF8E4M3:
      case DType::kF8E4M3B128:
        for (int64_t i = 0; i < width; ++i) to[i] = f8_to_float(static_cast<uint8_t>(row[i]));
        break;
      default:
        with_quant_type(dtype, [&]<DType kType>() { dequantize_row<kType>(row, width, to); });
    }
  }
}

void dequantize_rows(const WeightRows& rows, int64_t width, float* out) {
  const int64_t stride = rows.stride != 0 ? rows.stride : row_bytes(rows.dtype, width);
  const int64_t scales = rows.scales != nullptr ? row_scales(rows.dtype, width) : 0;
  for (int64_t r = 0; r < rows.rows; ++r) {
    float* const to = out + r * width;
    dequantize_rows(rows.dtype, rows.data + r * stride, 1, width, to);
    for (int64_t s = 0; s < scales; ++s) {
      const float scale = rows.scales[r * scales + s];
      for (int64_t i = s * width / scales; i < (s + 1) * width / scales; ++i) to[i] *= scale;
    }
  }
}

}  // namespace caravel::kernels
