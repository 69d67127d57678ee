#pragma once

// Included by the per-ISA sources alone. A vector of f32, as wide as the instruction set has it: F32 (kLanes floats;
// the compiler's + - * / work on it) and what the kernels need on top. Every function acts on each lane alone, so that
// a lane's result does not depend on its neighbours or on where in a vector it stands; only reduce_* join lanes, in a
// fixed tree.

#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
// GCC 12 warns of its own header's undefined operands.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

namespace caravel::kernels::CARAVEL_ISA {

/// Storage types of 16 bits.
struct F16 {
  uint16_t bits;
};
struct BF16 {
  uint16_t bits;
};
/// An integer whose scale lies elsewhere.
struct I8 {
  int8_t value;
};

#if defined(__AVX512VNNI__)

using F32 = __m512;
constexpr int kLanes = 16;

static inline F32 broadcast(float x) { return _mm512_set1_ps(x); }
static inline F32 load(const float* p) { return _mm512_loadu_ps(p); }
static inline F32 load(const F16* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
static inline F32 load(const BF16* p) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
static inline F32 load(const I8* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
static inline void store(float* p, F32 x) { _mm512_storeu_ps(p, x); }
static inline F32 load_part(const float* p, int n) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << n) - 1), p);
}
static inline void store_part(float* p, F32 x, int n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1U << n) - 1), x);
}
static inline F32 fma(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
/// The larger; b where either is NaN.
static inline F32 max(F32 a, F32 b) { return _mm512_max_ps(a, b); }
static inline F32 min(F32 a, F32 b) { return _mm512_min_ps(a, b); }
static inline F32 abs(F32 x) { return _mm512_abs_ps(x); }
static inline float reduce_max(F32 x) { return _mm512_reduce_max_ps(x); }
static inline float reduce_add(F32 x) { return _mm512_reduce_add_ps(x); }
/// Bit i: a[i] > b[i]; false for NaN.
static inline uint32_t greater_bits(F32 a, F32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
static inline uint32_t equal_bits(F32 a, F32 b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
/// a where x < limit, else b.
static inline F32 select_less(F32 x, F32 limit, F32 a, F32 b) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, limit, _CMP_LT_OQ), b, a);
}
/// |x| with the sign of s.
static inline F32 copy_sign(F32 x, F32 s) {
  const __m512i sign = _mm512_set1_epi32(static_cast<int32_t>(0x80000000U));
  return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(sign, _mm512_castps_si512(s), _mm512_castps_si512(x), 0xCA));
}
/// x in lanes begin .. end-1, `other` elsewhere; begin and end may lie outside 0 .. kLanes.
static inline F32 keep_lanes(F32 x, int begin, int end, F32 other) {
  const uint32_t above = begin <= 0 ? ~0U : begin >= kLanes ? 0U : ~0U << begin;
  const uint32_t below = end <= 0 ? 0U : end >= kLanes ? ~0U : (1U << end) - 1;
  return _mm512_mask_blend_ps(static_cast<__mmask16>(above & below), other, x);
}
static inline F32 round(F32 x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/// x * 2^n for whole n in -126 .. 128.
static inline F32 scale_by_power(F32 x, F32 n) { return _mm512_scalef_ps(x, n); }

#elif defined(__AVX2__)

using F32 = __m256;
constexpr int kLanes = 8;

static inline __m256i lanes_below(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline F32 broadcast(float x) { return _mm256_set1_ps(x); }
static inline F32 load(const float* p) { return _mm256_loadu_ps(p); }
static inline F32 load(const F16* p) { return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
static inline F32 load(const BF16* p) {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
static inline F32 load(const I8* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
static inline void store(float* p, F32 x) { _mm256_storeu_ps(p, x); }
static inline F32 load_part(const float* p, int n) { return _mm256_maskload_ps(p, lanes_below(n)); }
static inline void store_part(float* p, F32 x, int n) { _mm256_maskstore_ps(p, lanes_below(n), x); }
static inline F32 fma(F32 a, F32 b, F32 c) { return _mm256_fmadd_ps(a, b, c); }
static inline F32 max(F32 a, F32 b) { return _mm256_max_ps(a, b); }
static inline F32 min(F32 a, F32 b) { return _mm256_min_ps(a, b); }
static inline F32 abs(F32 x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), x); }
static inline float reduce_max(F32 x) {
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}
static inline float reduce_add(F32 x) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
static inline uint32_t greater_bits(F32 a, F32 b) {
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)));
}
static inline uint32_t equal_bits(F32 a, F32 b) {
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)));
}
static inline F32 select_less(F32 x, F32 limit, F32 a, F32 b) {
  return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, limit, _CMP_LT_OQ));
}
static inline F32 copy_sign(F32 x, F32 s) {
  const __m256 sign = _mm256_set1_ps(-0.0F);
  return _mm256_or_ps(_mm256_andnot_ps(sign, x), _mm256_and_ps(sign, s));
}
static inline F32 keep_lanes(F32 x, int begin, int end, F32 other) {
  const __m256i keep = _mm256_andnot_si256(lanes_below(begin), lanes_below(end));
  return _mm256_blendv_ps(other, x, _mm256_castsi256_ps(keep));
}
static inline F32 round(F32 x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline F32 scale_by_power(F32 x, F32 n) {
  // In two steps, since 2^n alone may overflow where the product does not.
  const __m256i power = _mm256_cvtps_epi32(n);
  const __m256i half = _mm256_srai_epi32(power, 1);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256i first = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
  const __m256i second = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(power, half), bias), 23);
  return x * _mm256_castsi256_ps(first) * _mm256_castsi256_ps(second);
}

#else

using F32 = float __attribute__((vector_size(16)));
using I32 = int32_t __attribute__((vector_size(16)));
using U16 = uint16_t __attribute__((vector_size(8)));
constexpr int kLanes = 4;

static inline I32 load_bits(const uint16_t* p) {
  U16 bits;
  std::memcpy(&bits, p, sizeof bits);
  return __builtin_convertvector(bits, I32);
}
static inline I32 as_bits(F32 x) { return reinterpret_cast<I32>(x); }
static inline F32 as_floats(I32 x) { return reinterpret_cast<F32>(x); }
static inline F32 choose(I32 mask, F32 a, F32 b) { return as_floats((as_bits(a) & mask) | (as_bits(b) & ~mask)); }

static inline F32 broadcast(float x) { return F32{x, x, x, x}; }
static inline F32 load(const float* p) {
  F32 x;
  std::memcpy(&x, p, sizeof x);
  return x;
}
static inline F32 load(const F16* p) {
  // Moves the exponent from bias 15 to 127; infinities and NaN move twice as far, denormals are made normal and mended
  // by a subtraction, so that no f32 denormal occurs on the way.
  const I32 half = load_bits(&p->bits);
  const I32 magnitude = (half & 0x7fff) << 13;
  const I32 exponent = magnitude & (0x7c00 << 13);
  I32 bits = magnitude + ((127 - 15) << 23);
  bits += (exponent == (0x7c00 << 13)) & ((128 - 16) << 23);
  const I32 denormal = exponent == 0;
  const F32 mended = as_floats(magnitude + (113 << 23)) - as_floats(I32{} + (113 << 23));
  bits = as_bits(choose(denormal, mended, as_floats(bits)));
  return as_floats(bits | ((half & 0x8000) << 16));
}
static inline F32 load(const BF16* p) { return as_floats(load_bits(&p->bits) << 16); }
static inline F32 load(const I8* p) {
  int8_t four[kLanes];
  std::memcpy(four, p, sizeof four);
  return F32{static_cast<float>(four[0]), static_cast<float>(four[1]), static_cast<float>(four[2]),
             static_cast<float>(four[3])};
}
static inline void store(float* p, F32 x) { std::memcpy(p, &x, sizeof x); }
static inline F32 load_part(const float* p, int n) {
  F32 x = {};
  for (int i = 0; i < n; ++i) x[i] = p[i];
  return x;
}
static inline void store_part(float* p, F32 x, int n) {
  for (int i = 0; i < n; ++i) p[i] = x[i];
}
static inline F32 fma(F32 a, F32 b, F32 c) { return a * b + c; }
static inline F32 max(F32 a, F32 b) { return choose(a > b, a, b); }
static inline F32 min(F32 a, F32 b) { return choose(a < b, a, b); }
static inline F32 abs(F32 x) { return as_floats(as_bits(x) & 0x7fffffff); }
static inline float reduce_max(F32 x) {
  const float even = x[0] > x[2] ? x[0] : x[2];
  const float odd = x[1] > x[3] ? x[1] : x[3];
  return even > odd ? even : odd;
}
static inline float reduce_add(F32 x) { return (x[0] + x[2]) + (x[1] + x[3]); }
static inline uint32_t mask_bits(I32 mask) { return (mask[0] & 1U) | (mask[1] & 2U) | (mask[2] & 4U) | (mask[3] & 8U); }
static inline uint32_t greater_bits(F32 a, F32 b) { return mask_bits(a > b); }
static inline uint32_t equal_bits(F32 a, F32 b) { return mask_bits(a == b); }
static inline F32 select_less(F32 x, F32 limit, F32 a, F32 b) { return choose(x < limit, a, b); }
static inline F32 copy_sign(F32 x, F32 s) {
  return as_floats((as_bits(x) & 0x7fffffff) | (as_bits(s) & static_cast<int32_t>(0x80000000U)));
}
static inline F32 keep_lanes(F32 x, int begin, int end, F32 other) {
  const I32 lane = {0, 1, 2, 3};
  return choose((lane >= begin) & (lane < end), x, other);
}
static inline F32 round(F32 x) {
  // For |x| < 2^22: adding 1.5 * 2^23 leaves the nearest whole number (ties to even) in the low bits.
  return (x + 12582912.0F) - 12582912.0F;
}
static inline F32 scale_by_power(F32 x, F32 n) {
  const I32 power = __builtin_convertvector(n, I32);
  const I32 half = power >> 1;
  return x * as_floats((half + 127) << 23) * as_floats((power - half + 127) << 23);
}

#endif

static inline F32 zero() { return F32{}; }
static inline float to_float(float x) { return x; }
static inline float to_float(I8 x) { return static_cast<float>(x.value); }
static inline float to_float(BF16 x) { return __builtin_bit_cast(float, static_cast<uint32_t>(x.bits) << 16); }
static inline float to_float(F16 x) {
  const uint32_t magnitude = (x.bits & 0x7fffU) << 13;
  const uint32_t sign = (x.bits & 0x8000U) << 16;
  const uint32_t exponent = magnitude & (0x7c00U << 13);
  uint32_t bits = magnitude + ((127U - 15U) << 23);
  if (exponent == (0x7c00U << 13)) bits += (128U - 16U) << 23;
  if (exponent == 0) {
    const uint32_t least = 113U << 23;  // 2^-14
    bits =
        __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, magnitude + least) - __builtin_bit_cast(float, least));
  }
  return __builtin_bit_cast(float, bits | sign);
}

/// Rounds to nearest, ties to even; NaN stays NaN, what is too large becomes infinite.
static inline void store_as(float* p, float x) { *p = x; }
static inline void store_as(BF16* p, float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  const bool nan = (bits & 0x7fffffffU) > 0x7f800000U;
  const uint32_t rounded = bits + 0x7fffU + ((bits >> 16) & 1U);
  p->bits = static_cast<uint16_t>((nan ? bits | 0x00400000U : rounded) >> 16);
}
static inline void store_as(F16* p, float x) {
#if defined(__AVX2__)
  p->bits = static_cast<uint16_t>(_cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT));
#else
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  const uint32_t sign = (bits >> 16) & 0x8000U;
  const uint32_t magnitude = bits & 0x7fffffffU;
  uint32_t half;
  if (magnitude > 0x7f800000U) {
    half = 0x7e00U | ((magnitude >> 13) & 0x3ffU);
  } else if (magnitude >= (143U << 23)) {  // 2^16 and above
    half = 0x7c00U;
  } else if (magnitude < (113U << 23)) {
    // Below 2^-14: adding 0.5 aligns the mantissa so that the sum's low bits are the denormal, rounded.
    const float aligned = __builtin_bit_cast(float, magnitude) + 0.5F;
    half = __builtin_bit_cast(uint32_t, aligned) - __builtin_bit_cast(uint32_t, 0.5F);
  } else {
    half = (magnitude - (112U << 23) + 0xfffU + ((magnitude >> 13) & 1U)) >> 13;
  }
  p->bits = static_cast<uint16_t>(half | sign);
#endif
}

/// e^x within 2 ulp; 0 below -87.33 (so for -inf), infinite above 88.73, NaN for NaN. Its result is never denormal: the
/// processor takes 55 ns for each vector that has one, and masked scores would all be some.
static inline F32 exp(F32 x) {
  const F32 least = broadcast(-87.33F);  // ln(2^-126) is -87.3365
  const F32 bounded = min(broadcast(89.0F), max(least, x));
  const F32 n = round(bounded * broadcast(1.44269504088896341F));
  // ln 2 in two parts, the first with few enough bits that n times it is exact.
  F32 r = fma(n, broadcast(-0.693359375F), bounded);
  r = fma(n, broadcast(2.12194440e-4F), r);
  // A minimax polynomial on [-ln 2 / 2, ln 2 / 2] (Cephes, expf).
  F32 p = broadcast(1.9875691500e-4F);
  p = fma(p, r, broadcast(1.3981999507e-3F));
  p = fma(p, r, broadcast(8.3334519073e-3F));
  p = fma(p, r, broadcast(4.1665795894e-2F));
  p = fma(p, r, broadcast(1.6666665459e-1F));
  p = fma(p, r, broadcast(5.0000001201e-1F));
  p = fma(p, r * r, r) + broadcast(1.0F);
  return select_less(x, least, zero(), scale_by_power(p, n));
}

/// Within 3 ulp.
static inline F32 tanh(F32 x) {
  const F32 magnitude = abs(x);
  // An odd polynomial near 0 (Cephes, tanhf), where the other form would cancel.
  const F32 z = x * x;
  F32 p = broadcast(-5.70498872745e-3F);
  p = fma(p, z, broadcast(2.06390887954e-2F));
  p = fma(p, z, broadcast(-5.37397155531e-2F));
  p = fma(p, z, broadcast(1.33314422036e-1F));
  p = fma(p, z, broadcast(-3.33332819422e-1F));
  const F32 near = fma(p * z, x, x);
  const F32 one = broadcast(1.0F);
  const F32 far = one - broadcast(2.0F) / (exp(magnitude + magnitude) + one);
  return select_less(magnitude, broadcast(0.625F), near, copy_sign(far, x));
}

/// rank's part of `count` things, in multiples of `grain`.
struct Share {
  int64_t begin;
  int64_t end;
};
static inline Share share(int64_t count, int rank, int size, int64_t grain = 1) {
  const int64_t grains = (count + grain - 1) / grain;
  const int64_t begin = grains * rank / size * grain;
  const int64_t end = grains * (rank + 1) / size * grain;
  return {begin < count ? begin : count, end < count ? end : count};
}

}  // namespace caravel::kernels::CARAVEL_ISA
