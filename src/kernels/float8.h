#pragma once

#include <bit>
#include <cstdint>

namespace caravel::kernels {

inline constexpr float kLargestF8 = 448.0F;

/// f32 of E4M3's bits (DType::kF8E4M3), exact. Host code alone, as kernels/half.h.
inline float f8_to_float(uint8_t bits) {
  // Its exponent and mantissa as f32's are 2^120 too small, also where it is denormal.
  const uint32_t magnitude = static_cast<uint32_t>(bits & 0x7fU) << 20;
  const uint32_t sign = static_cast<uint32_t>(bits & 0x80U) << 24;
  return std::bit_cast<float>(sign | magnitude) * 0x1p120F;
}

/// To the nearest, ties to even; what is larger than 448 becomes 448, NaN one of NaN's codes. Without branches, so that
/// loops of it become vectors.
inline uint8_t float_to_f8(float value) {
  const auto given = std::bit_cast<uint32_t>(value);
  const uint32_t largest = std::bit_cast<uint32_t>(kLargestF8);
  const uint32_t bits = (given & 0x7fffffffU) < largest ? given & 0x7fffffffU : largest;
  const uint32_t normal = (bits + 0x7ffffU + (bits >> 20 & 1U) - (120U << 23)) >> 20;
  // Below 2^-6 steps are 2^-9: of the sum with 2^14 so many bits are left, rounded.
  const uint32_t denormal =
      std::bit_cast<uint32_t>(std::bit_cast<float>(bits) + 0x1p14F) - std::bit_cast<uint32_t>(0x1p14F);
  const uint32_t code = bits < std::bit_cast<uint32_t>(0x1p-6F) ? denormal : normal;
  const bool is_nan = (given & 0x7fffffffU) > 0x7f800000U;
  return static_cast<uint8_t>((given >> 24 & 0x80U) | (is_nan ? 0x7fU : code));
}

}  // namespace caravel::kernels
