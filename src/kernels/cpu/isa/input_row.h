#pragma once

// Included by the per-ISA sources alone; everything here has internal linkage.

#include <cstdint>

#include "kernels/cpu/input_planes.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace caravel::kernels::CARAVEL_ISA {

/// max|x|; NaN where some x is: the bits of |x| order as |x| does, with NaN on top.
static inline float largest_magnitude(const float* x, int count) {
  int32_t max_bits = 0;
  for (int i = 0; i < count; ++i) {
    const int32_t bits = __builtin_bit_cast(int32_t, x[i]) & 0x7fffffff;
    max_bits = bits > max_bits ? bits : max_bits;
  }
  return __builtin_bit_cast(float, max_bits);
}

/// 127 / max, but 0 where it may overflow.
static inline float inverse_q8_scale(float max) { return max < 1e-30F ? 0.0F : 127.0F / max; }

/// |x| <= 127 to the nearest integer, ties to even: adding 1.5 * 2^23 leaves it in the low bits.
static inline int8_t round_to_q8(float x) {
  return static_cast<int8_t>(__builtin_bit_cast(uint32_t, x + 12582912.0F) & 0xffU);
}

/// The bits of max|x| of 32.
static inline float largest_magnitude_32(const float* x) {
#if defined(__AVX512VNNI__)
  const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
  const __m512i low = _mm512_and_si512(_mm512_loadu_si512(x), magnitude);
  const __m512i high = _mm512_and_si512(_mm512_loadu_si512(x + 16), magnitude);
  return __builtin_bit_cast(float, _mm512_reduce_max_epi32(_mm512_max_epi32(low, high)));
#elif defined(__AVX2__)
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  __m256i max = _mm256_setzero_si256();
  for (int i = 0; i < 32; i += 8) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    max = _mm256_max_epi32(max, _mm256_and_si256(bits, magnitude));
  }
  __m128i m = _mm_max_epi32(_mm256_castsi256_si128(max), _mm256_extracti128_si256(max, 1));
  m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
  m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1));
  return __builtin_bit_cast(float, _mm_cvtsi128_si32(m));
#else
  return largest_magnitude(x, 32);
#endif
}

/// q8 = round(x * inverse) of 32, |x * inverse| <= 127; totals: the sums of either half.
static inline void round_32(const float* x, float inverse, int8_t* q8, int32_t (&totals)[2]) {
#if defined(__AVX512VNNI__)
  const __m512 factor = _mm512_set1_ps(inverse);
  for (int half = 0; half < 2; ++half) {
    const __m512i rounded = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x + 16 * half), factor));
    const __m128i bytes = _mm512_cvtepi32_epi8(rounded);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(q8 + 16 * half), bytes);
    __m128i sum = _mm_dpbusd_epi32(_mm_setzero_si128(), _mm_set1_epi8(1), bytes);
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
    totals[half] = _mm_cvtsi128_si32(sum);
  }
#elif defined(__AVX2__)
  const __m256 factor = _mm256_set1_ps(inverse);
  for (int half = 0; half < 2; ++half) {
    const float* from = x + 16 * half;
    const __m256i low = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(from), factor));
    const __m256i high = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(from + 8), factor));
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
    const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(q8 + 16 * half), bytes);
    const __m256i sums = _mm256_add_epi32(low, high);
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
    totals[half] = _mm_cvtsi128_si32(sum);
  }
#else
  for (int half = 0; half < 2; ++half) {
    totals[half] = 0;
    for (int i = 16 * half; i < 16 * half + 16; ++i) {
      q8[i] = round_to_q8(x[i] * inverse);
      totals[half] += q8[i];
    }
  }
#endif
}

/// One block of 32: q8 = round_to_nearest_even(x * 127 / max|x|), scale = max|x| / 127, sum = scale * sum(q8), and the
/// sums of either half. Each element sees the same IEEE operations on every ISA, so the bits agree. A NaN makes the
/// block's scale NaN.
static inline void quantize_q8_block(const float* x, int8_t* q8, float* scale, float* sum, int16_t* totals) {
  const float max = largest_magnitude_32(x);
  int32_t half_totals[2];
  round_32(x, inverse_q8_scale(max), q8, half_totals);
  *scale = max / 127.0F;
  *sum = *scale * static_cast<float>(half_totals[0] + half_totals[1]);
  totals[0] = static_cast<int16_t>(half_totals[0]);
  totals[1] = static_cast<int16_t>(half_totals[1]);
}

/// x of 32 times Hadamard's matrix. Sums and differences alone, in one order on every ISA: the bits agree.
static inline void rotate_32(const float* x, float* out) {
#if defined(__AVX512VNNI__)
  const __m512 low = _mm512_loadu_ps(x);
  const __m512 high = _mm512_loadu_ps(x + 16);
  __m512 halves[2] = {_mm512_add_ps(low, high), _mm512_sub_ps(low, high)};
  for (int i = 0; i < 2; ++i) {
    __m512 v = halves[i];
    // partner + v, where v is the first of a pair, and partner - v, where it is the second.
    v = _mm512_mask_sub_ps(_mm512_add_ps(_mm512_shuffle_f32x4(v, v, 0x4E), v), 0xFF00, _mm512_shuffle_f32x4(v, v, 0x4E),
                           v);
    v = _mm512_mask_sub_ps(_mm512_add_ps(_mm512_shuffle_f32x4(v, v, 0xB1), v), 0xF0F0, _mm512_shuffle_f32x4(v, v, 0xB1),
                           v);
    v = _mm512_mask_sub_ps(_mm512_add_ps(_mm512_permute_ps(v, 0x4E), v), 0xCCCC, _mm512_permute_ps(v, 0x4E), v);
    v = _mm512_mask_sub_ps(_mm512_add_ps(_mm512_permute_ps(v, 0xB1), v), 0xAAAA, _mm512_permute_ps(v, 0xB1), v);
    _mm512_storeu_ps(out + 16 * i, v);
  }
#else
  for (int i = 0; i < 32; ++i) out[i] = x[i];
  for (int half = 16; half > 0; half /= 2) {
    for (int begin = 0; begin < 32; begin += 2 * half) {
      for (int i = begin; i < begin + half; ++i) {
        const float a = out[i];
        const float b = out[i + half];
        out[i] = a + b;
        out[i + half] = a - b;
      }
    }
  }
#endif
}

/// Stores row `token` of a GEMM's input in the form that it wants; row is [out.width].
static inline void store_input_row(const InputPlanes& out, int64_t token, const float* row) {
  if (out.form == InputForm::kF32) {
    float* to = out.f32 + token * out.width;
    for (int64_t i = 0; i < out.width; ++i) to[i] = row[i];
    return;
  }
  const int64_t blocks = out.width / 32;
  alignas(64) float rotated[32];
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t at = token * blocks + b;
    const float* block = row + 32 * b;
    if (out.form == InputForm::kQ8Rotated) {
      rotate_32(block, rotated);
      block = rotated;
    }
    quantize_q8_block(block, out.q8 + 32 * at, out.scales + at, out.sums + at, out.totals + 2 * at);
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
