#pragma once

#include <immintrin.h>

#include <cstdint>

namespace caravel::kernels::CARAVEL_ISA {

using Bytes = __m512i;
using Quad = __m512i;
using Dots = __m512i;
using Ints = __m512i;
using Floats = __m512;

/// Tokens whose sums fit in the registers together with two vectors of weights: 6 x 2 x (i32 + f32) of 32.
constexpr int kTileTokens = 6;
constexpr int kPlainTileTokens = 6;  // where weights are unquantised

static inline Bytes load_bytes(const uint8_t* p) { return _mm512_loadu_si512(p); }
static inline void store_bytes(uint8_t* p, Bytes v) { _mm512_storeu_si512(p, v); }
static inline Bytes low_nibbles(Bytes v) { return _mm512_and_si512(v, _mm512_set1_epi8(0x0f)); }
static inline Bytes high_nibbles(Bytes v) { return _mm512_and_si512(_mm512_srli_epi16(v, 4), _mm512_set1_epi8(0x0f)); }
/// levels | (plane << kShift & kMask); a negative shift is to the right.
template <int kShift, int kMask>
static inline Bytes merge_bits(Bytes levels, Bytes plane) {
  const Bytes moved = kShift >= 0 ? _mm512_slli_epi16(plane, kShift >= 0 ? kShift : 0)
                                  : _mm512_srli_epi16(plane, kShift < 0 ? -kShift : 0);
  return _mm512_ternarylogic_epi32(levels, moved, _mm512_set1_epi8(kMask), 0xf8);  // a | (b & c)
}

/// Of codes below 16.
static inline Bytes look_up(Bytes codes, const uint8_t (&table)[16]) {
  return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table))), codes);
}

static inline Quad load_quad(const int8_t* p) {
  int32_t four;
  __builtin_memcpy(&four, p, 4);
  return _mm512_set1_epi32(four);
}
/// -offset * totals[0] - offset1 * totals[1]: what levels that are `offset` too large must start from.
template <int kMax, int kOffset0, int kOffset1>
static inline Dots start_dots(const int16_t* totals) {
  if constexpr (kOffset0 == 0 && kOffset1 == 0) return _mm512_setzero_si512();
  int32_t pair;
  __builtin_memcpy(&pair, totals, 4);
  constexpr int32_t kFactors =
      static_cast<int32_t>(static_cast<uint32_t>(-kOffset0 & 0xffff) | static_cast<uint32_t>(-kOffset1 & 0xffff) << 16);
  return _mm512_madd_epi16(_mm512_set1_epi32(pair), _mm512_set1_epi32(kFactors));
}
/// The kStep-th of kSteps products to be added to `dots`; levels are at most kMax.
template <int kMax, int kStep, int kSteps>
static inline void add_dot(Dots& dots, Bytes levels, Quad quad) {
  dots = _mm512_dpbusd_epi32(dots, levels, quad);
}
static inline Floats dots_to_floats(Dots dots) { return _mm512_cvtepi32_ps(dots); }

static inline Ints widen_u8(const uint8_t* p) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
static inline Ints widen_i8(const uint8_t* p) {
  return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
/// (v >> kShift) & kMask
template <int kShift, int kMask>
static inline Ints bits_of(Ints v) {
  return _mm512_and_si512(_mm512_srli_epi32(v, kShift), _mm512_set1_epi32(kMask));
}
/// low | high << 4
static inline Ints join_bits(Ints low, Ints high) { return _mm512_or_si512(low, _mm512_slli_epi32(high, 4)); }
static inline Floats to_floats(Ints v) { return _mm512_cvtepi32_ps(v); }
/// 2^(v - 128) for v from 0 to 254.
static inline Floats half_powers(Ints v) {
  // 2^-127 has no exponent of its own.
  const Ints bits = _mm512_max_epi32(_mm512_slli_epi32(v, 23), _mm512_set1_epi32(0x00400000));
  return _mm512_mul_ps(_mm512_castsi512_ps(bits), _mm512_set1_ps(0.5F));
}

static inline Floats broadcast(float value) { return _mm512_set1_ps(value); }
static inline Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
static inline Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
static inline Floats negate(Floats a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0F)); }
static inline Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }

static inline Floats load_floats(const float* p) { return _mm512_loadu_ps(p); }
static inline void store_floats(float* p, Floats v) { _mm512_storeu_ps(p, v); }
/// The first `count` (0 to 16) elements; the others read as 0 and stay as they are.
static inline Floats load_floats(const float* p, int count) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1), p);
}
static inline void store_floats(float* p, Floats v, int count) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1U << count) - 1), v);
}
static inline Floats load_halves(const uint8_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
static inline Floats load_f8s(const uint8_t* p) {
  const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return _mm512_cvtph_ps(_mm256_and_si256(_mm256_slli_epi16(wide, 7), _mm256_set1_epi16(static_cast<int16_t>(0xbf80))));
}
static inline Floats load_bfloats(const uint8_t* p) {
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16));
}

}  // namespace caravel::kernels::CARAVEL_ISA
