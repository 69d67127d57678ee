#pragma once

#include <cstdint>

namespace caravel::kernels::CARAVEL_ISA {

// Vectors of 16 bytes, which the compiler maps to what every target has (SSE2, NEON, ...).
using U8x16 = uint8_t __attribute__((vector_size(16)));
using U16x8 = uint16_t __attribute__((vector_size(16)));
using S16x8 = int16_t __attribute__((vector_size(16)));
using U32x4 = uint32_t __attribute__((vector_size(16)));
using S32x4 = int32_t __attribute__((vector_size(16)));
using F32x4 = float __attribute__((vector_size(16)));

struct Bytes {
  U8x16 v[4];
};
/// A token's inputs 0 and 2, and 1 and 3, for four rows.
struct Quad {
  S16x8 even;
  S16x8 odd;
};
/// Products of 16 bits; as many as surely fit are added there before they are widened.
struct Dots {
  S32x4 wide[4];
  S16x8 narrow[4];
};
struct Ints {
  S32x4 v[4];
};
struct Floats {
  F32x4 v[4];
};

/// Tokens of a tile.
constexpr int kTileTokens = 2;
constexpr int kPlainTileTokens = 2;

static inline Bytes load_bytes(const uint8_t* p) {
  Bytes a;
  __builtin_memcpy(&a, p, sizeof(a));
  return a;
}
static inline void store_bytes(uint8_t* p, const Bytes& a) { __builtin_memcpy(p, &a, sizeof(a)); }
static inline Bytes low_nibbles(Bytes a) {
  for (U8x16& v : a.v) v &= 0x0f;
  return a;
}
static inline Bytes high_nibbles(Bytes a) {
  for (U8x16& v : a.v) v = reinterpret_cast<U8x16>(reinterpret_cast<U16x8>(v) >> 4) & 0x0f;
  return a;
}
/// levels | (plane << kShift & kMask); a negative shift is to the right.
template <int kShift, int kMask>
static inline Bytes merge_bits(Bytes levels, const Bytes& plane) {
  for (int i = 0; i < 4; ++i) {
    const auto wide = reinterpret_cast<U16x8>(plane.v[i]);
    const U16x8 moved = kShift >= 0 ? wide << (kShift >= 0 ? kShift : 0) : wide >> (kShift < 0 ? -kShift : 0);
    levels.v[i] |= reinterpret_cast<U8x16>(moved) & static_cast<uint8_t>(kMask);
  }
  return levels;
}

/// Of codes below 16.
static inline Bytes look_up(Bytes codes, const uint8_t (&table)[16]) {
  for (U8x16& v : codes.v) {
    for (int i = 0; i < 16; ++i) v[i] = table[v[i]];
  }
  return codes;
}

static inline S16x8 repeat_pair(int low, int high) {
  const uint32_t both = (static_cast<uint32_t>(low) & 0xffffU) | static_cast<uint32_t>(high) << 16;
  return reinterpret_cast<S16x8>(U32x4{both, both, both, both});
}
static inline Quad load_quad(const int8_t* p) { return {repeat_pair(p[0], p[2]), repeat_pair(p[1], p[3])}; }
/// -kOffset0 * totals[0] - kOffset1 * totals[1]: what levels that are an offset too large must start from.
template <int kMax, int kOffset0, int kOffset1>
static inline Dots start_dots(const int16_t* totals) {
  Dots dots = {};
  for (S32x4& wide : dots.wide) wide += -kOffset0 * totals[0] - kOffset1 * totals[1];
  return dots;
}
static inline S32x4 widen_pairs(S16x8 v) {
  return (reinterpret_cast<S32x4>(reinterpret_cast<U32x4>(v) << 16) >> 16) + (reinterpret_cast<S32x4>(v) >> 16);
}
/// The kStep-th of kSteps products to be added to `dots`; levels are at most kMax.
template <int kMax, int kStep, int kSteps>
static inline void add_dot(Dots& dots, const Bytes& levels, const Quad& quad) {
  for (int i = 0; i < 4; ++i) {
    const auto wide = reinterpret_cast<U16x8>(levels.v[i]);
    const S16x8 even = reinterpret_cast<S16x8>(wide & 0xff) * quad.even;
    const S16x8 odd = reinterpret_cast<S16x8>(wide >> 8) * quad.odd;
    if constexpr (kMax == 255) {
      dots.wide[i] += widen_pairs(even) + widen_pairs(odd);
    } else {
      constexpr int kRun = 32767 / (kMax * 127 * 2);
      const S16x8 pairs = kStep % kRun == 0 ? even + odd : dots.narrow[i] + (even + odd);
      if constexpr ((kStep + 1) % kRun == 0 || kStep + 1 == kSteps) {
        dots.wide[i] += widen_pairs(pairs);
      } else {
        dots.narrow[i] = pairs;
      }
    }
  }
}
static inline Floats to_floats(const Ints& a) {
  Floats f;
  for (int i = 0; i < 4; ++i) f.v[i] = __builtin_convertvector(a.v[i], F32x4);
  return f;
}
/// 2^(a - 128) for a from 0 to 254.
static inline Floats half_powers(const Ints& a) {
  Floats powers;
  for (int i = 0; i < 4; ++i) {
    const S32x4 bits = a.v[i] << 23;
    const S32x4 least = S32x4{} + 0x00400000;  // 2^-127, which has no exponent of its own
    const S32x4 below = bits < least;
    powers.v[i] = reinterpret_cast<F32x4>((least & below) | (bits & ~below)) * 0.5F;
  }
  return powers;
}
static inline Floats dots_to_floats(const Dots& dots) {
  return to_floats({{dots.wide[0], dots.wide[1], dots.wide[2], dots.wide[3]}});
}

template <typename Narrow>
static inline Ints widen(const uint8_t* p) {
  Narrow narrow[16];
  __builtin_memcpy(narrow, p, sizeof(narrow));
  Ints a;
  for (int i = 0; i < 16; ++i) a.v[i / 4][i % 4] = narrow[i];
  return a;
}
static inline Ints widen_u8(const uint8_t* p) { return widen<uint8_t>(p); }
static inline Ints widen_i8(const uint8_t* p) { return widen<int8_t>(p); }
/// (v >> kShift) & kMask
template <int kShift, int kMask>
static inline Ints bits_of(Ints a) {
  for (S32x4& v : a.v) v = v >> kShift & kMask;
  return a;
}
/// low | high << 4
static inline Ints join_bits(Ints low, const Ints& high) {
  for (int i = 0; i < 4; ++i) low.v[i] |= high.v[i] << 4;
  return low;
}

static inline Floats broadcast(float value) {
  const F32x4 v = {value, value, value, value};
  return {{v, v, v, v}};
}
static inline Floats multiply(Floats a, const Floats& b) {
  for (int i = 0; i < 4; ++i) a.v[i] *= b.v[i];
  return a;
}
static inline Floats add(Floats a, const Floats& b) {
  for (int i = 0; i < 4; ++i) a.v[i] += b.v[i];
  return a;
}
static inline Floats negate(Floats a) {
  for (F32x4& v : a.v) v = -v;
  return a;
}
/// a * b + c; the other ISAs fuse it.
static inline Floats multiply_add(const Floats& a, const Floats& b, Floats c) {
  for (int i = 0; i < 4; ++i) c.v[i] += a.v[i] * b.v[i];
  return c;
}

static inline Floats load_floats(const float* p) {
  Floats a;
  __builtin_memcpy(&a, p, sizeof(a));
  return a;
}
static inline void store_floats(float* p, const Floats& a) { __builtin_memcpy(p, &a, sizeof(a)); }
/// The first `count` (0 to 16) elements; the others read as 0 and stay as they are.
static inline Floats load_floats(const float* p, int count) {
  float all[16] = {};
  for (int i = 0; i < count; ++i) all[i] = p[i];
  return load_floats(all);
}
static inline void store_floats(float* p, const Floats& a, int count) {
  float all[16];
  store_floats(all, a);
  for (int i = 0; i < count; ++i) p[i] = all[i];
}
/// IEEE half precision: the exponent's bias is moved, denormals are taken as integers, infinity and NaN kept.
static inline Floats load_halves(const uint8_t* p) {
  const Ints halves = widen<uint16_t>(p);
  Floats a;
  for (int i = 0; i < 4; ++i) {
    const auto bits = reinterpret_cast<U32x4>(halves.v[i]);
    const U32x4 rest = bits & 0x7fff;
    const U32x4 special = reinterpret_cast<U32x4>(rest >= 0x7c00) & (112U << 23);
    const U32x4 normal = (rest << 13) + (112U << 23) + special;
    const F32x4 denormal = __builtin_convertvector(reinterpret_cast<S32x4>(rest), F32x4) * 0x1p-24F;
    const auto is_denormal = reinterpret_cast<U32x4>(rest < 0x400);
    const U32x4 magnitude = (is_denormal & reinterpret_cast<U32x4>(denormal)) | (~is_denormal & normal);
    a.v[i] = reinterpret_cast<F32x4>((bits & 0x8000) << 16 | magnitude);
  }
  return a;
}
/// E4M3's values / 256: what its exponent and mantissa mean behind an f16's sign and first bit of the exponent.
static inline Floats load_f8s(const uint8_t* p) {
  const Ints bits = widen<uint8_t>(p);
  Floats a;
  for (int i = 0; i < 4; ++i) {
    // As f32's they are 2^112 smaller still.
    a.v[i] = reinterpret_cast<F32x4>((bits.v[i] & 0x7f) << 20 | (bits.v[i] & 0x80) << 24) * 0x1p112F;
  }
  return a;
}
static inline Floats load_bfloats(const uint8_t* p) {
  const Ints bits = widen<uint16_t>(p);
  Floats a;
  for (int i = 0; i < 4; ++i) a.v[i] = reinterpret_cast<F32x4>(bits.v[i] << 16);
  return a;
}

}  // namespace caravel::kernels::CARAVEL_ISA
