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

  /// The piece that begins with element i of a token's row.
  __device__ __forceinline__ void load(int64_t token, int i, float (&piece)[kPiece]) const {
    load_piece(x + token * stride + i, width - i, whole, piece);
    if (norm_weight == nullptr) return;
    const float factor = factors[token];
    float weights[kPiece];
    load_piece(norm_weight + i, width - i, whole, weights);
#pragma unroll
    for (int j = 0; j < kPiece; ++j) piece[j] = __fmul_rn(__fmul_rn(piece[j], factor), weights[j]);
  }

  /// `count` rows from first_row on, of the tokens that token_of(r) says, by threads of which this is `thread`. Several
  /// pieces are asked for at a time.
  template <typename TokenOf>
  __device__ __forceinline__ void copy(int count, const InputRows& to, int64_t first_row, int thread, int threads,
                                       TokenOf token_of) const {
    constexpr int kAtOnce = 4;
    const int pieces = (width + kPiece - 1) / kPiece;  // of a row
    for (int first = thread; first < count * pieces; first += kAtOnce * threads) {
      float values[kAtOnce][kPiece];
#pragma unroll
      for (int n = 0; n < kAtOnce; ++n) {
        const int p = first + n * threads;
        if (p < count * pieces) load(token_of(p / pieces), p % pieces * kPiece, values[n]);
      }
#pragma unroll
      for (int n = 0; n < kAtOnce; ++n) {
        const int p = first + n * threads;
        const int i = p % pieces * kPiece;
        if (p < count * pieces) to.store(first_row + p / pieces, i, width - i, whole, values[n]);
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
