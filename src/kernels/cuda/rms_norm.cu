#include "kernels/cuda/next_row.cuh"
#include "kernels/cuda/row_pieces.cuh"
#include "kernels/rms_norm.h"

namespace caravel::kernels::cuda {

void rms_norm(Stream& stream, const RmsNormArgs& args);
void add_norm(Stream& stream, const AddNormArgs& args);

namespace {

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

/// whole: of x, weight and rows.
template <typename Out>
__global__ void __launch_bounds__(kMostRowThreads)
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
template <typename In, typename Out>
__global__ void __launch_bounds__(kMostRowThreads)
    norm_rows(const In* x, int64_t stride, const int32_t* rows, const float* weight, float epsilon, int width,
              bool whole, Out* out) {
  follow_kernel_before();
  const int64_t t = blockIdx.x;
  const In* const row = x + (rows != nullptr ? rows[t] : t) * stride;
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
__global__ void __launch_bounds__(kMostRowThreads)
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

}  // namespace

void rms_norm(Stream& stream, const RmsNormArgs& args) {
  const int64_t width = args.out.width;
  CARAVEL_CHECK_EQ(args.x.width, width);
  if (args.rows == nullptr) CARAVEL_CHECK_GE(args.x.rows, args.out.tokens);
  const dim3 grid(blocks_for(args.out.tokens, 1));
  const dim3 block(row_threads(width));
  if (args.out.normed) {
    const float* const x = floats(args.x);
    const NextRows next = next_rows({.weight = args.weight, .epsilon = args.epsilon, .out = args.out});
    with_normed(args.out, [&]<typename Out>(Out* out) {
      const bool whole = in_pieces(x, args.x.stride) && in_pieces(args.weight, width) && in_pieces(out, width);
      launch_early(stream, norm_input<Out>, grid, block, 0, x, args.x.stride, args.rows, next, whole);
    });
    return;
  }
  with_output(args.out, [&]<typename Out>(Out* out) {
    const auto norm = [&]<typename In>(const In* x) {
      const bool whole = in_pieces(x, args.x.stride) && in_pieces(args.weight, width) && in_pieces(out, width);
      launch_early(stream, norm_rows<In, Out>, grid, block, 0, x, args.x.stride, args.rows, args.weight, args.epsilon,
                   static_cast<int>(width), whole, out);
    };
    if (args.x.dtype == DType::kF32) {
      norm(static_cast<const float*>(floats(args.x)));
    } else {
      norm(static_cast<const BFloat16*>(products(args.x)));
    }
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
  const dim3 block(row_threads(width));
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
