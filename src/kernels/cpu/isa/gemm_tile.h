#pragma once

#include <cstdint>

#include "kernels/cpu/gemm_args.h"
#include "kernels/cpu/input_planes.h"
#include "kernels/cpu/isa/weight_blocks.h"

namespace caravel::kernels::CARAVEL_ISA {

/// Bytes that a kernel which reads each weight once asks for ahead of its use; into the L2 cache, since what goes to
/// the L1 takes one of its few miss buffers until it is there. 60 GB/s that come after 150 ns are 9 KB on their way.
constexpr int kPrefetchBytes = 12288;
/// What comes so soon is asked for from the L2 into the L1, where a tile's tokens are so few that it waits for loads.
constexpr int kNearPrefetchBytes = 2048;
constexpr int kNearPrefetchTokens = 4;
/// A single token meets weights as fast as memory brings them. Those of super-blocks are not met in the order in which
/// they lie, a head first; where each block's are asked for in that order as it begins, and nothing ahead, the
/// processor's own prefetching sees one stream. On a Zen 4 that reads 9 to 13 % more than what is asked for here does
/// where memory gives two cores 36 to 39 GB/s; from 60 on it is mixed, and at 80 Q4_K takes 6 to 11 % longer. Others
/// were not measured.
#if defined(__AVX512VNNI__) && !defined(__AMX_INT8__)
constexpr int kInOrderTokens = 1;
#else
constexpr int kInOrderTokens = 0;
#endif

/// Asks for weights as a tile of kTokens wants them that is at block `at`, of about kMeanBytes.
template <typename Blocks, int kTokens>
static inline void prefetch_weights(const uint8_t* at) {
  for (int i = 0; i < Blocks::kMeanBytes; i += 64) {
    if constexpr (Blocks::kSuper && kTokens <= kInOrderTokens) {
      __builtin_prefetch(at + i, 0, 3);
    } else {
      __builtin_prefetch(at + i + kPrefetchBytes, 0, 2);
      if constexpr (kTokens <= kNearPrefetchTokens) __builtin_prefetch(at + i + kNearPrefetchBytes, 0, 3);
    }
  }
}

/// Where the sums of one panel go: `columns` (1 to 32) outputs of consecutive tokens. They start from the bias, from
/// what lies in `out`, or from both; so a long sum can be left and taken up again without changing a bit.
struct TileOutput {
  float* out;  // [tokens, stride], at the panel's first column
  int64_t stride;
  const float* bias;  // at the panel's first column, or nullptr
  int columns;
  bool accumulate;

  static int columns_of_half(int columns, int h) {
    const int rest = columns - 16 * h;
    return rest < 0 ? 0 : rest > 16 ? 16 : rest;
  }

  Floats start(int token, int h) const {
    const int count = columns_of_half(columns, h);
    __builtin_prefetch(out + token * stride + 16 * h, 1);  // the sum will be done before the line is there
    const Floats first = bias != nullptr ? load_floats(bias + 16 * h, count) : broadcast(0.0F);
    if (!accumulate) return first;
    const Floats old = load_floats(out + token * stride + 16 * h, count);
    return bias != nullptr ? add(first, old) : old;
  }

  void finish(int token, int h, Floats sum) const {
    const int count = columns_of_half(columns, h);
    if (count == 16) {
      store_floats(out + token * stride + 16 * h, sum);
    } else {
      store_floats(out + token * stride + 16 * h, sum, count);
    }
  }
};

/// A tile's 8-bit input, from its first token on.
struct Q8Rows {
  const int8_t* q8;
  const float* scales;
  const float* sums;
  const int16_t* totals;
  int64_t width;  // elements from token to token

  Q8Rows(const InputPlanes& input, int64_t token)
      : q8(input.q8 + token * input.width),
        scales(input.scales + token * (input.width / 32)),
        sums(input.sums + token * (input.width / 32)),
        totals(input.totals + token * (input.width / 16)),
        width(input.width) {}
};

/// sums[t][h] over one block's half (kHalf 0 or 1, which has its own scale) or all of it (kHalf -1).
template <typename Blocks, int kTokens, int kHalf>
static inline void add_block(const typename Blocks::Block& block, const Q8Rows& x, int64_t b, const Floats (&scale)[2],
                             Floats (&sums)[kTokens][2]) {
  constexpr int kMax = Blocks::kMax;
  constexpr int kOffset0 = kHalf == 1 ? 0 : Blocks::kOffset;
  constexpr int kOffset1 = kHalf == 0 ? 0 : Blocks::kOffset;
  constexpr int kSteps = kHalf < 0 ? 8 : 4;
  const int64_t row_blocks = x.width / 32;
  Dots dots[kTokens][2];
#pragma GCC unroll 8
  for (int t = 0; t < kTokens; ++t) {
    const int16_t* totals = x.totals + 2 * (t * row_blocks + b);
    dots[t][0] = start_dots<kMax, kOffset0, kOffset1>(totals);
    dots[t][1] = dots[t][0];
  }
  const int8_t* q8 = x.q8 + 32 * b;
  const auto step = [&]<int kGroup, int kStep>() {
    const Bytes low = Blocks::template levels<kGroup, 0>(block);
    const Bytes high = Blocks::template levels<kGroup, 1>(block);
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) {
      const Quad quad = load_quad(q8 + t * x.width + 4 * kGroup);
      add_dot<kMax, kStep, kSteps>(dots[t][0], low, quad);
      add_dot<kMax, kStep, kSteps>(dots[t][1], high, quad);
    }
  };
  if constexpr (kHalf < 0) {
    // g and g + 4 share a load.
    step.template operator()<0, 0>();
    step.template operator()<4, 1>();
    step.template operator()<1, 2>();
    step.template operator()<5, 3>();
    step.template operator()<2, 4>();
    step.template operator()<6, 5>();
    step.template operator()<3, 6>();
    step.template operator()<7, 7>();
  } else {
    step.template operator()<4 * kHalf, 0>();
    step.template operator()<4 * kHalf + 1, 1>();
    step.template operator()<4 * kHalf + 2, 2>();
    step.template operator()<4 * kHalf + 3, 3>();
  }
#pragma GCC unroll 8
  for (int t = 0; t < kTokens; ++t) {
    const Floats x_scale = broadcast(x.scales[t * row_blocks + b]);
    sums[t][0] = multiply_add(dots_to_floats(dots[t][0]), multiply(scale[0], x_scale), sums[t][0]);
    sums[t][1] = multiply_add(dots_to_floats(dots[t][1]), multiply(scale[1], x_scale), sums[t][1]);
  }
}

/// A panel's 32 outputs of kTokens tokens over `blocks` blocks. Per block and output, in this order: one fused
/// multiply-add a scale, then one for the minimum; the integer sums before are exact. So an output's bits do
/// not depend on the tile.
template <typename Blocks, int kTokens>
static void quantized_tile(const uint8_t* panel, int64_t blocks, const Q8Rows& x, const TileOutput& out) {
  constexpr int kScales = Blocks::kScales;
  const int64_t row_blocks = x.width / 32;
  Floats sums[kTokens][2];
#pragma GCC unroll 8
  for (int t = 0; t < kTokens; ++t) {
    sums[t][0] = out.start(t, 0);
    sums[t][1] = out.start(t, 1);
  }
  typename Blocks::Head head;  // of the super-block that is gone through
  for (int64_t b = 0; b < blocks; ++b) {
    prefetch_weights<Blocks, kTokens>(panel + b * Blocks::kMeanBytes);
    const typename Blocks::Block block = Blocks::at(panel, b);
    Floats scale[2][kScales];
    Floats minimum[2];
    if (block.sub == 0) head = Blocks::head(block);
    Blocks::template scales<0>(head, block, scale[0], minimum[0]);
    Blocks::template scales<1>(head, block, scale[1], minimum[1]);
    if constexpr (kScales == 1) {
      add_block<Blocks, kTokens, -1>(block, x, b, {scale[0][0], scale[1][0]}, sums);
    } else {
      add_block<Blocks, kTokens, 0>(block, x, b, {scale[0][0], scale[1][0]}, sums);
      add_block<Blocks, kTokens, 1>(block, x, b, {scale[0][1], scale[1][1]}, sums);
    }
    if constexpr (Blocks::kMinima) {
#pragma GCC unroll 8
      for (int t = 0; t < kTokens; ++t) {
        const Floats x_sum = broadcast(x.sums[t * row_blocks + b]);
        sums[t][0] = multiply_add(minimum[0], x_sum, sums[t][0]);
        sums[t][1] = multiply_add(minimum[1], x_sum, sums[t][1]);
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < kTokens; ++t) {
    out.finish(t, 0, sums[t][0]);
    out.finish(t, 1, sums[t][1]);
  }
}

/// Unquantised weights: 16 rows' values of one input.
template <DType kType>
static inline Floats load_weights(const uint8_t* p) {
  if constexpr (kType == DType::kF32) return load_floats(reinterpret_cast<const float*>(p));
  if constexpr (kType == DType::kF16) return load_halves(p);
  return load_bfloats(p);
}

/// 8-bit floats: sums over up to 128 inputs as plain_tile() makes them, and then one fused multiply-add each that joins
/// them, by the rows' scales, to what is in `out`.
template <int kTokens>
static void f8_tile(const uint8_t* levels, const float* scales, int64_t inputs, const float* x, int64_t width,
                    const TileOutput& out) {
  Floats sums[kTokens][2];
#pragma GCC unroll 8
  for (int t = 0; t < kTokens; ++t) sums[t][0] = sums[t][1] = broadcast(0.0F);
  for (int64_t i = 0; i < inputs; ++i) {
    const uint8_t* at = levels + i * kPanelRows;
    __builtin_prefetch(at + kPrefetchBytes, 0, 2);
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      const Floats weights = load_f8s(at + 16 * h);
#pragma GCC unroll 8
      for (int t = 0; t < kTokens; ++t) {
        sums[t][h] = multiply_add(weights, broadcast(x[t * width + i]), sums[t][h]);
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < kTokens; ++t) {
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      out.finish(t, h, multiply_add(sums[t][h], load_floats(scales + 16 * h), out.start(t, h)));
    }
  }
}

/// The same over `inputs` unquantised inputs, one fused multiply-add each, in their order. x: [tokens, width].
template <DType kType, int kTokens>
static void plain_tile(const uint8_t* panel, int64_t inputs, const float* x, int64_t width, const TileOutput& out) {
  constexpr int kHalfBytes = kType == DType::kF32 ? 64 : 32;
  Floats sums[kTokens][2];
#pragma GCC unroll 8
  for (int t = 0; t < kTokens; ++t) {
    sums[t][0] = out.start(t, 0);
    sums[t][1] = out.start(t, 1);
  }
  for (int64_t i = 0; i < inputs; ++i) {
    const uint8_t* at = panel + i * 2 * kHalfBytes;
    for (int line = 0; line < 2 * kHalfBytes; line += 64) __builtin_prefetch(at + kPrefetchBytes + line, 0, 2);
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      const Floats weights = load_weights<kType>(at + h * kHalfBytes);
#pragma GCC unroll 8
      for (int t = 0; t < kTokens; ++t) {
        sums[t][h] = multiply_add(weights, broadcast(x[t * width + i]), sums[t][h]);
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < kTokens; ++t) {
    out.finish(t, 0, sums[t][0]);
    out.finish(t, 1, sums[t][1]);
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
