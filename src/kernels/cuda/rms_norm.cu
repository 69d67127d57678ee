#include "kernels/cuda/common.cuh"
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

/// whole: of y, post_weight and residual.
__global__ void __launch_bounds__(kMostThreads)
    add_rows(const BFloat16* y, int64_t y_stride, const float* post_weight, float* residual, int64_t residual_stride,
             float epsilon, int width, bool whole) {
  follow_kernel_before();
  const BFloat16* const row = y + blockIdx.x * y_stride;
  float* const to = residual + blockIdx.x * residual_stride;
  const float factor = post_weight != nullptr ? inverse_rms(row, width, whole, epsilon) : 1.0F;
  for_pieces(width, [&](int i) {
    float piece[kPiece];
    float sums[kPiece];
    load_piece(row + i, width - i, whole, piece);
    load_piece(to + i, width - i, whole, sums);
    if (post_weight != nullptr) {
      float weights[kPiece];
      load_piece(post_weight + i, width - i, whole, weights);
#pragma unroll
      for (int j = 0; j < kPiece; ++j) piece[j] = piece[j] * factor * weights[j];
    }
#pragma unroll
    for (int j = 0; j < kPiece; ++j) sums[j] += piece[j];
    store_piece(to + i, width - i, whole, sums);
  });
}

}  // namespace

void rms_norm(Stream& stream, const RmsNormArgs& args) {
  const float* const x = floats(args.x);
  const int64_t width = args.out.width;
  CARAVEL_CHECK_EQ(args.x.width, width);
  if (args.rows == nullptr) CARAVEL_CHECK_GE(args.x.rows, args.out.tokens);
  with_output(args.out, [&]<typename Out>(Out* out) {
    const bool whole = in_pieces(x, args.x.stride) && in_pieces(args.weight, width) && in_pieces(out, width);
    launch_early(stream, norm_rows<Out>, dim3(blocks_for(args.out.tokens, 1)), dim3(norm_threads(width)), 0, x,
                 args.x.stride, args.rows, args.weight, args.epsilon, static_cast<int>(width), whole, out);
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
  launch_early(stream, add_rows, dim3(blocks_for(args.y.rows, 1)), dim3(norm_threads(width)), 0, y, args.y.stride,
               args.post_weight, residual, args.residual.stride, args.epsilon, static_cast<int>(width), whole);
}

}  // namespace caravel::kernels::cuda
