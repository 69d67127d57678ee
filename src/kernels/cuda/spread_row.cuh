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

  /// function(i, count, piece) for the pieces of a token's row, by a warp.
  template <typename Function>
  __device__ __forceinline__ void for_pieces_of(int64_t token, Function function) const {
    const float factor = norm_weight != nullptr ? factors[token] : 1.0F;
    const float* const row = x + token * stride;
#pragma unroll 4
    for (int i = static_cast<int>(threadIdx.x) % kWarp * kPiece; i < width; i += kWarp * kPiece) {
      float piece[kPiece];
      load_piece(row + i, width - i, whole, piece);
      if (norm_weight != nullptr) {
        float weights[kPiece];
        load_piece(norm_weight + i, width - i, whole, weights);
#pragma unroll
        for (int j = 0; j < kPiece; ++j) piece[j] = __fmul_rn(__fmul_rn(piece[j], factor), weights[j]);
      }
      function(i, width - i, piece);
    }
  }

  /// A token's row to one place, by a warp.
  __device__ __forceinline__ void copy(int64_t token, const InputRows& to, int64_t row) const {
    for_pieces_of(token, [&](int i, int count, const float(&piece)[kPiece]) { to.store(row, i, count, whole, piece); });
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
