#pragma once

#include <bit>
#include <cstdint>

namespace caravel::kernels {

/// f32 of IEEE half-precision bits, exact; NaN and infinity kept. Host code alone (cpu/isa has its own).
inline float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000U) << 16;
  const uint32_t exponent = (half >> 10) & 0x1fU;
  const uint32_t mantissa = half & 0x3ffU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t wide = exponent == 31 ? 255U : exponent + 112U;
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

/// To the nearest, ties to even; what is too large becomes infinite, NaN stays NaN.
inline uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000U;
  const uint32_t magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) return static_cast<uint16_t>(sign | 0x7e00U);
  if (magnitude >= 143U << 23) return static_cast<uint16_t>(sign | 0x7c00U);  // 2^16 and above
  if (magnitude < 113U << 23) {
    // Below 2^-14: adding 0.5 aligns the mantissa so that the sum's low bits are the denormal, rounded.
    const float aligned = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(aligned) - std::bit_cast<uint32_t>(0.5F)));
  }
  return static_cast<uint16_t>(sign | ((magnitude - (112U << 23) + 0xfffU + ((magnitude >> 13) & 1U)) >> 13));
}

inline float bfloat_to_float(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

}  // namespace caravel::kernels
