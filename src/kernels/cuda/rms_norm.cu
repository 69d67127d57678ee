#include <utility>

#include "kernels/cuda/common.cuh"
#include "kernels/cuda/next_rows.cuh"
#include "kernels/rms_norm.h"

namespace caravel::kernels::cuda {

void rms_norm(Stream& stream, const RmsNormArgs& args);
void add_norm(Stream& stream, const AddNormArgs& args);

namespace {

/// Elements that a thread takes side by side; the shares, and so the sums, depend on the width alone.
constexpr int kPiece = 4;
constexpr int kMostThreads = 1024;

int norm_threads(int64_t width) {
  const int64_t threads = (width + kPiece * kWarp - 1) / (kPiece * kWarp) * kWarp;
  return static_cast<int>(threads < kMostThreads ? threads : kMostThreads);
}

/// Whether rows consist of whole pieces, each of which is one access.
template <typename T>
bool in_pieces(const T* rows, int64_t stride) {
  return stride % kPiece == 0 && reinterpret_cast<uintptr_t>(rows) % (kPiece * sizeof(T)) == 0;
}

/// Up to `count` elements, and zeros behind them; whole: all of the piece, in one access.
template <typename T>
__device__ __forceinline__ void load_piece(const T* from, int count, bool whole, float (&piece)[kPiece]) {
  if (!whole) {
#pragma unroll
    for (int j = 0; j < kPiece; ++j) piece[j] = j < count ? to_float(from[j]) : 0.0F;
  } else if constexpr (sizeof(T) == sizeof(float)) {
    const float4 four = *reinterpret_cast<const float4*>(from);
    piece[0] = four.x, piece[1] = four.y, piece[2] = four.z, piece[3] = four.w;
  } else {
    const uint2 four = *reinterpret_cast<const uint2*>(from);
    const float2 low = unpack_pair<T>(four.x);
    const float2 high = unpack_pair<T>(four.y);
    piece[0] = low.x, piece[1] = low.y, piece[2] = high.x, piece[3] = high.y;
  }
}

template <typename T>
__device__ __forceinline__ void store_piece(T* to, int count, bool whole, const float (&piece)[kPiece]) {
  if (!whole) {
#pragma unroll
    for (int j = 0; j < kPiece; ++j) {
      if (j < count) to[j] = from_float<T>(piece[j]);
    }
  } else if constexpr (sizeof(T) == sizeof(float)) {
    *reinterpret_cast<float4*>(to) = make_float4(piece[0], piece[1], piece[2], piece[3]);
  } else {
    *reinterpret_cast<uint2*>(to) = make_uint2(pack_pair<T>(piece[0], piece[1]), pack_pair<T>(piece[2], piece[3]));
  }
}

/// function(i) for where the thread's pieces of a row begin.
template <typename Function>
__device__ __forceinline__ void for_pieces(int width, Function function) {
  for (int i = static_cast<int>(threadIdx.x) * kPiece; i < width; i += static_cast<int>(blockDim.x) * kPiece) {
    function(i);
  }
}

template <typename T>
__device__ float inverse_rms(const T* x, int width, bool whole, float epsilon) {
  float sum = 0.0F;
  for_pieces(width, [&](int i) {
    float piece[kPiece];
    load_piece(x + i, width - i, whole, piece);
#pragma unroll
    for (int j = 0; j < kPiece; ++j) sum = fmaf(piece[j], piece[j], sum);
  });
  sum = reduce_block(sum, 0.0F, Sum());
  return 1.0F / sqrtf(sum / static_cast<float>(width) + epsilon);
}

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

/// function(i, count) for where the thread's pieces of a row begin and what they have of it, all threads together.
template <typename Function>
__device__ __forceinline__ void for_pieces_together(int width, Function function) {
  const int step = static_cast<int>(blockDim.x) * kPiece;
  for (int begin = 0; begin < width; begin += step) {
    const int i = begin + static_cast<int>(threadIdx.x) * kPiece;
    function(i, max(0, min(kPiece, width - i)));
  }
}

/// whole: of x, weight and rows.
template <typename Out>
__global__ void __launch_bounds__(kMostThreads)
    norm_input(const float* x, int64_t stride, const int32_t* rows, NextRows next, bool whole) {
  follow_kernel_before();
  const int64_t t = blockIdx.x;
  const float* const row = x + (rows != nullptr ? rows[t] : t) * stride;
  NextRow<Out> out(next, t, whole);
  for_pieces_together(next.width, [&](int i, int count) {
    float piece[kPiece];
    load_piece(row + i, count, whole && count > 0, piece);
    out.put(i, count, piece);
  });
  out.finish();
}

/// whole: of x, weight and out.
template <typename Out>
__global__ void __launch_bounds__(kMostThreads)
    norm_rows(const float* x, int64_t stride, const int32_t* rows, const float* weight, float epsilon, int width,
              bool whole, Out* out) {
  follow_kernel_before();
  const int64_t t = blockIdx.x;
  const float* const row = x + (rows != nullptr ? rows[t] : t) * stride;
  Out* const to = out + t * width;
  const float factor = inverse_rms(row, width, whole, epsilon);
  for_pieces(width, [&](int i) {
    float piece[kPiece];
    float weights[kPiece];
    load_piece(row + i, width - i, whole, piece);
    load_piece(weight + i, width - i, whole, weights);
#pragma unroll
    for (int j = 0; j < kPiece; ++j) piece[j] = piece[j] * factor * weights[j];
    store_piece(to + i, width - i, whole, piece);
  });
}

/// whole: of y, post_weight, residual, and what is normed next.
template <typename Out>
__global__ void __launch_bounds__(kMostThreads)
    add_rows(const BFloat16* y, int64_t y_stride, const float* post_weight, float* residual, int64_t residual_stride,
             float epsilon, int width, bool whole, NextRows next) {
  follow_kernel_before();
  NextRow<Out> out(next, blockIdx.x, whole);
  const BFloat16* const row = y + blockIdx.x * y_stride;
  float* const to = residual + blockIdx.x * residual_stride;
  const float factor = post_weight != nullptr ? inverse_rms(row, width, whole, epsilon) : 1.0F;
  for_pieces_together(width, [&](int i, int count) {
    const bool in_one = whole && count > 0;
    float piece[kPiece];
    float sums[kPiece];
    load_piece(row + i, count, in_one, piece);
    load_piece(to + i, count, in_one, sums);
    if (post_weight != nullptr) {
      float weights[kPiece];
      load_piece(post_weight + i, count, in_one, weights);
#pragma unroll
      for (int j = 0; j < kPiece; ++j) piece[j] = piece[j] * factor * weights[j];
    }
#pragma unroll
    for (int j = 0; j < kPiece; ++j) sums[j] += piece[j];
    store_piece(to + i, count, in_one, sums);
    if (next.weight != nullptr) out.put(i, count, sums);
  });
  if (next.weight != nullptr) out.finish();
}

/// function(element of the rows) of a normed input.
template <typename Function>
void with_normed(const GemmInput& out, Function&& function) {
  GemmInput rows = out;
  rows.data = normed_rows(out).rows;
  with_output(rows, std::forward<Function>(function));
}

}  // namespace

void rms_norm(Stream& stream, const RmsNormArgs& args) {
  const float* const x = floats(args.x);
  const int64_t width = args.out.width;
  CARAVEL_CHECK_EQ(args.x.width, width);
  if (args.rows == nullptr) CARAVEL_CHECK_GE(args.x.rows, args.out.tokens);
  const dim3 grid(blocks_for(args.out.tokens, 1));
  const dim3 block(norm_threads(width));
  if (args.out.normed) {
    const NextRows next = next_rows({.weight = args.weight, .epsilon = args.epsilon, .out = args.out});
    with_normed(args.out, [&]<typename Out>(Out* out) {
      const bool whole = in_pieces(x, args.x.stride) && in_pieces(args.weight, width) && in_pieces(out, width);
      launch_early(stream, norm_input<Out>, grid, block, 0, x, args.x.stride, args.rows, next, whole);
    });
    return;
  }
  with_output(args.out, [&]<typename Out>(Out* out) {
    const bool whole = in_pieces(x, args.x.stride) && in_pieces(args.weight, width) && in_pieces(out, width);
    launch_early(stream, norm_rows<Out>, grid, block, 0, x, args.x.stride, args.rows, args.weight, args.epsilon,
                 static_cast<int>(width), whole, out);
  });
}

void add_norm(Stream& stream, const AddNormArgs& args) {
  const BFloat16* const y = products(args.y);
  float* const residual = floats(args.residual);
  const int64_t width = args.y.width;
  CARAVEL_CHECK_EQ(width, args.residual.width);
  CARAVEL_CHECK_GE(args.residual.rows, args.y.rows);
  const bool whole =
      in_pieces(y, args.y.stride) && in_pieces(residual, args.residual.stride) && in_pieces(args.post_weight, width);
  const dim3 grid(blocks_for(args.y.rows, 1));
  const dim3 block(norm_threads(width));
  const auto add = [&]<typename Out>(bool all_whole) {
    launch_early(stream, add_rows<Out>, grid, block, 0, y, args.y.stride, args.post_weight, residual,
                 args.residual.stride, args.epsilon, static_cast<int>(width), all_whole, next_rows(args.next));
  };
  if (args.next.weight == nullptr) {
    add.template operator()<BFloat16>(whole);
    return;
  }
  CARAVEL_CHECK(args.next.out.normed);
  CARAVEL_CHECK_EQ(args.next.out.tokens, args.y.rows);
  CARAVEL_CHECK_EQ(args.next.out.width, width);
  with_normed(args.next.out, [&]<typename Out>(Out* out) {
    add.template operator()<Out>(whole && in_pieces(args.next.weight, width) && in_pieces(out, width));
  });
}

}  // namespace caravel::kernels::cuda
