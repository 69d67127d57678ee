#include "kernels/cuda/row_pieces.cuh"
#include "kernels/layer_norm.h"

namespace caravel::kernels::cuda {

void layer_norm(Stream& stream, const LayerNormArgs& args);

namespace {

/// A row as it is normed.
struct RowOf {
  const float* x;
  const float* added;  // or nullptr
  int width;
  bool whole;  // of both

  __device__ void load(int i, float (&piece)[kPiece]) const {
    load_piece(x + i, width - i, whole, piece);
    if (added == nullptr) return;
    float more[kPiece];
    load_piece(added + i, width - i, whole, more);
#pragma unroll
    for (int j = 0; j < kPiece; ++j) piece[j] = __fadd_rn(piece[j], more[j]);
  }

  __device__ float mean() const {
    float sum = 0.0F;
    for_pieces(width, [&](int i) {
      float piece[kPiece];
      load(i, piece);
#pragma unroll
      for (int j = 0; j < kPiece; ++j) sum = __fadd_rn(sum, piece[j]);
    });
    return reduce_block(sum, 0.0F, Sum()) / static_cast<float>(width);
  }

  __device__ float inverse_deviation(float mean, float epsilon) const {
    float sum = 0.0F;
    for_pieces(width, [&](int i) {
      float piece[kPiece];
      load(i, piece);
#pragma unroll
      for (int j = 0; j < kPiece; ++j) {
        const float d = i + j < width ? __fsub_rn(piece[j], mean) : 0.0F;
        sum = __fmaf_rn(d, d, sum);
      }
    });
    return 1.0F / sqrtf(reduce_block(sum, 0.0F, Sum()) / static_cast<float>(width) + epsilon);
  }
};

/// A block for each row. copy: nullptr where there is none. whole: of all that is read and written.
template <typename Copy>
__global__ void __launch_bounds__(kMostRowThreads)
    norm_rows_about_mean(LayerNormArgs args, Copy* copy, int width, bool whole) {
  follow_kernel_before();
  const int64_t t = blockIdx.x;
  const int64_t at = args.rows != nullptr ? args.rows[t] : t;
  const RowOf row = {.x = static_cast<const float*>(args.x.data) + at * args.x.stride,
                     .added = args.table != nullptr ? args.table + int64_t{args.table_rows[t]} * width : nullptr,
                     .width = width,
                     .whole = whole};
  const float mean = row.mean();
  const float factor = row.inverse_deviation(mean, args.epsilon);
  for_pieces(width, [&](int i) {
    float piece[kPiece];
    float weights[kPiece];
    float biases[kPiece];
    row.load(i, piece);
    load_piece(args.weight + i, width - i, whole, weights);
    load_piece(args.bias + i, width - i, whole, biases);
#pragma unroll
    for (int j = 0; j < kPiece; ++j) {
      piece[j] = __fmaf_rn(__fmul_rn(__fsub_rn(piece[j], mean), factor), weights[j], biases[j]);
    }
    if (args.out.data != nullptr) {
      store_piece(static_cast<float*>(args.out.data) + t * args.out.stride + i, width - i, whole, piece);
    }
    if (copy != nullptr) store_piece(copy + t * width + i, width - i, whole, piece);
  });
}

}  // namespace

void layer_norm(Stream& stream, const LayerNormArgs& args) {
  const bool writes = args.out.data != nullptr;
  const int64_t tokens = writes ? args.out.rows : args.copy.tokens;
  const int64_t width = writes ? args.out.width : args.copy.width;
  CARAVEL_CHECK(writes || args.table == nullptr);
  CARAVEL_CHECK_EQ(args.x.width, width);
  if (args.rows == nullptr) CARAVEL_CHECK_GE(args.x.rows, tokens);
  bool whole = in_pieces(floats(args.x), args.x.stride) && in_pieces(args.weight, width) &&
               in_pieces(args.bias, width) && in_pieces(args.table, width);
  if (writes) whole = whole && in_pieces(floats(args.out), args.out.stride);
  const auto norm = [&]<typename Copy>(Copy* copy) {
    launch_early(stream, norm_rows_about_mean<Copy>, dim3(blocks_for(tokens, 1)), dim3(row_threads(width)), 0, args,
                 copy, static_cast<int>(width), whole && in_pieces(copy, width));
  };
  if (args.copy.data == nullptr) return norm(static_cast<float*>(nullptr));
  CARAVEL_CHECK_EQ(args.copy.tokens, tokens);
  CARAVEL_CHECK_EQ(args.copy.width, width);
  CARAVEL_CHECK(!args.copy.normed);
  with_output(args.copy, norm);
}

}  // namespace caravel::kernels::cuda
