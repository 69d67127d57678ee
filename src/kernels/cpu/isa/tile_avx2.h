#pragma once

#include <immintrin.h>

#include <cstdint>

namespace caravel::kernels::CARAVEL_ISA {

struct Bytes {
  __m256i v[2];
};
using Quad = __m256i;
/// maddubs leaves sums of two products in 16 bits; as many as surely fit are added there before they are widened.
struct Dots {
  __m256i wide[2];
  __m256i narrow[2];
};
struct Ints {
  __m256i v[2];
};
struct Floats {
  __m256 v[2];
};

/// Tokens of a tile: sums of 8-bit products pass through memory anyhow; those of f32 must fit in 16 registers.
constexpr int kTileTokens = 3;
constexpr int kPlainTileTokens = 2;

static inline Bytes load_bytes(const uint8_t* p) {
  return {{_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
           _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32))}};
}
static inline void store_bytes(uint8_t* p, Bytes b) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), b.v[0]);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 32), b.v[1]);
}
static inline Bytes low_nibbles(Bytes b) {
  const __m256i mask = _mm256_set1_epi8(0x0f);
  return {{_mm256_and_si256(b.v[0], mask), _mm256_and_si256(b.v[1], mask)}};
}
static inline Bytes high_nibbles(Bytes b) {
  return low_nibbles({{_mm256_srli_epi16(b.v[0], 4), _mm256_srli_epi16(b.v[1], 4)}});
}
template <int kShift, int kMask>
static inline Bytes merge_bits(Bytes levels, Bytes plane) {
  for (int i = 0; i < 2; ++i) {
    const __m256i moved = kShift >= 0 ? _mm256_slli_epi16(plane.v[i], kShift >= 0 ? kShift : 0)
                                      : _mm256_srli_epi16(plane.v[i], kShift < 0 ? -kShift : 0);
    levels.v[i] = _mm256_or_si256(levels.v[i], _mm256_and_si256(moved, _mm256_set1_epi8(kMask)));
  }
  return levels;
}

/// Of codes below 16.
static inline Bytes look_up(Bytes codes, const uint8_t (&table)[16]) {
  const __m256i both = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
  return {{_mm256_shuffle_epi8(both, codes.v[0]), _mm256_shuffle_epi8(both, codes.v[1])}};
}

static inline Quad load_quad(const int8_t* p) {
  int32_t four;
  __builtin_memcpy(&four, p, 4);
  return _mm256_set1_epi32(four);
}
/// Levels of 8 bits are taken as signed ones by add_dot and need no start.
template <int kMax, int kOffset0, int kOffset1>
static inline Dots start_dots(const int16_t* totals) {
  Dots dots;
  dots.wide[0] = dots.wide[1] = dots.narrow[0] = dots.narrow[1] = _mm256_setzero_si256();
  if constexpr (kMax != 255 && (kOffset0 != 0 || kOffset1 != 0)) {
    dots.wide[0] = dots.wide[1] = _mm256_set1_epi32(-kOffset0 * totals[0] - kOffset1 * totals[1]);
  }
  return dots;
}
template <int kMax, int kStep, int kSteps>
static inline void add_dot(Dots& dots, Bytes levels, Quad quad) {
  constexpr int kPair = kMax == 255 ? 128 * 127 * 2 : kMax * 127 * 2;
  constexpr int kRun = 32767 / kPair;  // sums of two that fit in 16 bits
  for (int i = 0; i < 2; ++i) {
    __m256i pairs;
    if constexpr (kMax == 255) {
      const __m256i weight = _mm256_xor_si256(levels.v[i], _mm256_set1_epi8(-128));
      pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(weight), _mm256_sign_epi8(quad, weight));
    } else {
      pairs = _mm256_maddubs_epi16(levels.v[i], quad);
    }
    if constexpr (kStep % kRun != 0) pairs = _mm256_add_epi16(pairs, dots.narrow[i]);
    if constexpr ((kStep + 1) % kRun == 0 || kStep + 1 == kSteps) {
      dots.wide[i] = _mm256_add_epi32(dots.wide[i], _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    } else {
      dots.narrow[i] = pairs;
    }
  }
}
static inline Floats dots_to_floats(const Dots& dots) {
  return {{_mm256_cvtepi32_ps(dots.wide[0]), _mm256_cvtepi32_ps(dots.wide[1])}};
}

static inline Ints widen_u8(const uint8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return {{_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8))}};
}
static inline Ints widen_i8(const uint8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return {{_mm256_cvtepi8_epi32(bytes), _mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8))}};
}
template <int kShift, int kMask>
static inline Ints bits_of(Ints a) {
  for (__m256i& v : a.v) v = _mm256_and_si256(_mm256_srli_epi32(v, kShift), _mm256_set1_epi32(kMask));
  return a;
}
static inline Ints join_bits(Ints low, Ints high) {
  for (int i = 0; i < 2; ++i) low.v[i] = _mm256_or_si256(low.v[i], _mm256_slli_epi32(high.v[i], 4));
  return low;
}
static inline Floats to_floats(Ints a) { return {{_mm256_cvtepi32_ps(a.v[0]), _mm256_cvtepi32_ps(a.v[1])}}; }
/// 2^(a - 128) for a from 0 to 254.
static inline Floats half_powers(Ints a) {
  Floats powers;
  for (int i = 0; i < 2; ++i) {
    // 2^-127 has no exponent of its own.
    const __m256i bits = _mm256_max_epi32(_mm256_slli_epi32(a.v[i], 23), _mm256_set1_epi32(0x00400000));
    powers.v[i] = _mm256_mul_ps(_mm256_castsi256_ps(bits), _mm256_set1_ps(0.5F));
  }
  return powers;
}

static inline Floats broadcast(float value) { return {{_mm256_set1_ps(value), _mm256_set1_ps(value)}}; }
static inline Floats multiply(Floats a, Floats b) {
  return {{_mm256_mul_ps(a.v[0], b.v[0]), _mm256_mul_ps(a.v[1], b.v[1])}};
}
static inline Floats add(Floats a, Floats b) {
  return {{_mm256_add_ps(a.v[0], b.v[0]), _mm256_add_ps(a.v[1], b.v[1])}};
}
static inline Floats negate(Floats a) {
  const __m256 sign = _mm256_set1_ps(-0.0F);
  return {{_mm256_xor_ps(a.v[0], sign), _mm256_xor_ps(a.v[1], sign)}};
}
static inline Floats multiply_add(Floats a, Floats b, Floats c) {
  return {{_mm256_fmadd_ps(a.v[0], b.v[0], c.v[0]), _mm256_fmadd_ps(a.v[1], b.v[1], c.v[1])}};
}

static inline Floats load_floats(const float* p) { return {{_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}}; }
static inline void store_floats(float* p, Floats a) {
  _mm256_storeu_ps(p, a.v[0]);
  _mm256_storeu_ps(p + 8, a.v[1]);
}
static inline Floats load_floats(const float* p, int count) {
  float all[16] = {};
  for (int i = 0; i < count; ++i) all[i] = p[i];
  return load_floats(all);
}
static inline void store_floats(float* p, Floats a, int count) {
  float all[16];
  store_floats(all, a);
  for (int i = 0; i < count; ++i) p[i] = all[i];
}
static inline Floats load_halves(const uint8_t* p) {
  return {{_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))),
           _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16)))}};
}
static inline Floats load_f8s(const uint8_t* p) {
  const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  const __m256i halves = _mm256_and_si256(_mm256_slli_epi16(wide, 7), _mm256_set1_epi16(static_cast<int16_t>(0xbf80)));
  return {{_mm256_cvtph_ps(_mm256_castsi256_si128(halves)), _mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1))}};
}
static inline Floats load_bfloats(const uint8_t* p) {
  Floats a;
  for (int i = 0; i < 2; ++i) {
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
    a.v[i] = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }
  return a;
}

}  // namespace caravel::kernels::CARAVEL_ISA
