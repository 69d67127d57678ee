#pragma once

#include "kernels/cuda/row_pieces.cuh"
#include "kernels/expert_table.h"

namespace caravel::kernels::cuda {

/// Rows that a GEMM reads, f32 or BF16.
struct InputRows {
  std::byte* data = nullptr;  // nullptr: none
  bool bf16 = false;
  int64_t width = 0;

  __device__ void store(int64_t row, int i, int count, bool whole, const float (&piece)[kPiece]) const {
    const int64_t at = row * width + i;
    if (bf16) {
      store_piece(reinterpret_cast<BFloat16*>(data) + at, count, whole, piece);
    } else {
      store_piece(reinterpret_cast<float*>(data) + at, count, whole, piece);
    }
  }
};

inline InputRows input_rows(const GemmInput& input) {
  if (input.data == nullptr) return {};
  CARAVEL_CHECK(!input.normed);
  CARAVEL_CHECK(input.form == InputForm::kF32 || input.form == InputForm::kBf16);
  return {.data = input.data, .bf16 = input.form == InputForm::kBf16, .width = input.width};
}

/// Rows by token that are copied to where experts read them, normed on the way or as they are.
struct SpreadSource {
  const float* x;
  int64_t stride;
  int width;
  const float* norm_weight;  // or nullptr
  const float* factors;      // of tokens, where there is a weight
  bool whole;                // of x and the norm's weight, and of what is written

  /// The pieces that begin with elements i of tokens' rows, each where `there`; all are asked for before one is waited
  /// for.
  template <int kCount>
  __device__ __forceinline__ void load(const bool (&there)[kCount], const int64_t (&tokens)[kCount],
                                       const int (&i)[kCount], float (&pieces)[kCount][kPiece]) const {
    float weights[kCount][kPiece];
    float own_factors[kCount];
#pragma unroll
    for (int n = 0; n < kCount; ++n) {
      if (there[n]) load_piece(x + tokens[n] * stride + i[n], width - i[n], whole, pieces[n]);
    }
    if (norm_weight == nullptr) return;
#pragma unroll
    for (int n = 0; n < kCount; ++n) {
      if (!there[n]) continue;
      load_piece(norm_weight + i[n], width - i[n], whole, weights[n]);
      own_factors[n] = factors[tokens[n]];
    }
#pragma unroll
    for (int n = 0; n < kCount; ++n) {
#pragma unroll
      for (int j = 0; j < kPiece; ++j) {
        if (there[n]) pieces[n][j] = __fmul_rn(__fmul_rn(pieces[n][j], own_factors[n]), weights[n][j]);
      }
    }
  }

  /// `count` rows from first_row on, of the tokens that token_of(r) says, by threads of which this is `thread`.
  template <typename TokenOf>
  __device__ __forceinline__ void copy(int count, const InputRows& to, int64_t first_row, int thread, int threads,
                                       TokenOf token_of) const {
    constexpr int kAtOnce = 4;
    const int pieces = (width + kPiece - 1) / kPiece;  // of a row
    for (int first = thread; first < count * pieces; first += kAtOnce * threads) {
      bool there[kAtOnce];
      int rows[kAtOnce];
      int64_t tokens[kAtOnce];
      int i[kAtOnce];
      float values[kAtOnce][kPiece];
#pragma unroll
      for (int n = 0; n < kAtOnce; ++n) {
        const int p = first + n * threads;
        there[n] = p < count * pieces;
        rows[n] = there[n] ? p / pieces : 0;
        tokens[n] = token_of(rows[n]);
        i[n] = (p - rows[n] * pieces) * kPiece;
      }
      load(there, tokens, i, values);
#pragma unroll
      for (int n = 0; n < kAtOnce; ++n) {
        if (there[n]) to.store(first_row + rows[n], i[n], width - i[n], whole, values[n]);
      }
    }
  }
};

/// Whether a row of the input begins with a whole piece.
inline bool in_pieces(const InputRows& rows) {
  return rows.bf16 ? in_pieces(reinterpret_cast<const BFloat16*>(rows.data), rows.width)
                   : in_pieces(reinterpret_cast<const float*>(rows.data), rows.width);
}

/// Rows by token to their places of the table, which is whole; and to `shared`, where that is there, in order.
void spread_by_token(Stream& stream, const SpreadSource& from, const ExpertTable& table, const InputRows& rows,
                     const InputRows& shared);

}  // namespace caravel::kernels::cuda
