#pragma once

#include <utility>

#include "kernels/cuda/next_rows.cuh"
#include "kernels/cuda/row_pieces.cuh"

namespace caravel::kernels::cuda {

/// Brings a row into a normed input, a thread's piece at a time, all threads of a block together; the same bits as by
/// NextRows::put_fours().
template <typename Out>
class NextRow {
 public:
  __device__ NextRow(const NextRows& next, int64_t token, bool whole) : next_(next), token_(token), whole_(whole) {}

  /// count: elements of the piece, which may be none; zeros are behind them.
  __device__ void put(int i, int count, const float (&piece)[kPiece]) {
    float weights[kPiece];
    float products[kPiece];
    load_piece(next_.weight + i, count, whole_ && count > 0, weights);
#pragma unroll
    for (int j = 0; j < kPiece; ++j) products[j] = __fmul_rn(piece[j], weights[j]);
    store_piece(reinterpret_cast<Out*>(next_.to.rows) + token_ * next_.width + i, count, whole_ && count > 0, products);
    const float squares = four_squares(make_float4(piece[0], piece[1], piece[2], piece[3]));
    const float of_eight = __fadd_rn(squares, __shfl_xor_sync(kAllLanes, squares, 1));
    if (threadIdx.x % 2 == 0) sum_ = sum_ + square_sum(of_eight);
  }

  __device__ void finish() {
    const SquareSum sum = {reduce_block(sum_.small, 0ULL, Sum()), reduce_block(sum_.large, 0ULL, Sum())};
    if (threadIdx.x != 0) return;
    next_.to.sums[token_] = sum + next_.epsilon;
    next_.to.other[token_] = {};
  }

 private:
  const NextRows& next_;
  int64_t token_;
  bool whole_;
  SquareSum sum_;
};

/// function(element of the rows) of a normed input.
template <typename Function>
void with_normed(const GemmInput& out, Function&& function) {
  GemmInput rows = out;
  rows.data = normed_rows(out).rows;
  with_output(rows, std::forward<Function>(function));
}

}  // namespace caravel::kernels::cuda
