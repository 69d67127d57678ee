#include <algorithm>

#include "kernels/cuda/router_sums.cuh"
#include "kernels/cuda/spread_row.cuh"

namespace caravel::kernels::cuda {
namespace {

// A warp has the sums of kRows of the router's rows for kOf tokens, over an eighth of the width: every eighth 128
// elements. Two warps of a block have neighbouring eighths, and blocks the four shares of two. Warps that have the same
// rows or the same tokens read them from the first cache.
constexpr int kRows = 8;
constexpr int kRowWarps = 2;
constexpr int kHalves = 2;
constexpr int kSharedOut = kHalves * kRouterShares;

struct Router {
  const float* x;
  int64_t x_stride;
  const float* norm_weight;
  const float* parts[PackedWeight::kMaxParts];  // [rows of the part, width]
  int part_ends[PackedWeight::kMaxParts];       // their last rows, and one more
  int tokens;
  bool whole;  // of all that is read: kWhole
  RouterSums to;
  // Normed rows by token, for which there is a column of blocks more.
  bool by_token;
  bool pieces;  // rows are written by whole ones, too
  InputRows rows;
  InputRows shared;

  __device__ const float* row(int index) const {
    const float* at = parts[0] + int64_t{index} * to.width;
#pragma unroll
    for (size_t part = 1; part < PackedWeight::kMaxParts; ++part) {
      if (index >= part_ends[part - 1]) at = parts[part] + int64_t{index - part_ends[part - 1]} * to.width;
    }
    return at;
  }
};

/// Each of the values summed over all lanes, to the bits that reduce_warp() gives: lane l ends with those that begin
/// with number l * kCount / 32.
template <int kCount, int kApart = kWarp / 2, int kAll>
__device__ __forceinline__ void reduce_apart(float (&values)[kAll]) {
  if constexpr (kApart == 0) {
    return;
  } else if constexpr (kCount == 1) {
    values[0] = __fadd_rn(values[0], __shfl_xor_sync(kAllLanes, values[0], kApart));
    reduce_apart<1, kApart / 2>(values);
  } else {
    constexpr int kHalf = kCount / 2;
    const bool upper = (threadIdx.x & kApart) != 0;
#pragma unroll
    for (int i = 0; i < kHalf; ++i) {
      const float other = __shfl_xor_sync(kAllLanes, upper ? values[i] : values[i + kHalf], kApart);
      values[i] = __fadd_rn(upper ? values[i + kHalf] : values[i], other);
    }
    reduce_apart<kHalf, kApart / 2>(values);
  }
}

/// A warp's part of each sum, to `parts`.
template <int kCount>
__device__ __forceinline__ void put_parts(float (&values)[kCount], float* parts) {
  reduce_apart<kCount>(values);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  constexpr int kEach = kCount > kWarp ? kCount / kWarp : 1;
  constexpr int kSame = kCount > kWarp ? 1 : kWarp / kCount;  // lanes that have the same
  if (lane % kSame != 0) return;
#pragma unroll
  for (int i = 0; i < kEach; ++i) parts[lane / kSame * kEach + i] = values[i];
}

/// Blocks that norm tokens in turn; their squares are summed up as by all others, a warp after the other.
template <bool kWhole>
__device__ void norm_by_token(const Router& router) {
  const int blocks = static_cast<int>(gridDim.y * gridDim.z);
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  const int thread = static_cast<int>(threadIdx.x);
  const int width = router.to.width;
  __shared__ float halves[kSharedOut];
  __shared__ float factor;
  for (int token = static_cast<int>(blockIdx.y * gridDim.z + blockIdx.z); token < router.tokens; token += blocks) {
    const float* const x = router.x + token * router.x_stride;
    for (int part = thread / kWarp; part < kSharedOut; part += warps) {
      float squares = 0.0F;
#pragma unroll 2
      for (int i = (part * kWarp + thread % kWarp) * kPiece; i < width; i += kSharedOut * kWarp * kPiece) {
        float piece[kPiece];
        load_piece(x + i, width - i, kWhole, piece);
#pragma unroll
        for (const float value : piece) squares = __fmaf_rn(value, value, squares);
      }
      squares = reduce_warp(squares, [](float a, float b) { return __fadd_rn(a, b); });
      if (thread % kWarp == 0) halves[part] = squares;
    }
    __syncthreads();
    if (thread == 0) {
      float shares[kRouterShares];
#pragma unroll
      for (int s = 0; s < kRouterShares; ++s) shares[s] = __fadd_rn(halves[2 * s], halves[2 * s + 1]);
      factor = router.to.factor_of(shares);
    }
    __syncthreads();
    const SpreadSource from = {.x = x,
                               .stride = 0,
                               .width = width,
                               .norm_weight = router.norm_weight,
                               .factors = &factor,
                               .whole = router.pieces};
    const auto all = static_cast<int>(blockDim.x);
    from.copy(1, router.rows, token, thread, all, [](int) { return 0; });
    if (router.shared.data != nullptr) from.copy(1, router.shared, token, thread, all, [](int) { return 0; });
  }
}

/// Rows are multiplied by the norm's weight on their way.
template <int kOf, int kTokenWarps, bool kWhole>
__global__ void __launch_bounds__(kWarp* kHalves* kRowWarps* kTokenWarps) sum_rows_of_router(Router router) {
  let_next_kernel_in();
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int half = warp % kHalves;
  const int row_warp = warp / kHalves % kRowWarps;
  const int token_warp = warp / (kHalves * kRowWarps);
  const int first_row = (static_cast<int>(blockIdx.x) * kRowWarps + row_warp) * kRows;
  const int first_token = (static_cast<int>(blockIdx.y) * kTokenWarps + token_warp) * kOf;
  const int width = router.to.width;
  const int first =
      ((static_cast<int>(blockIdx.z) * kHalves + half) * kWarp + static_cast<int>(threadIdx.x) % kWarp) * kPiece;
  constexpr int kStep = kSharedOut * kWarp * kPiece;
  const float* rows[kRows];
#pragma unroll
  for (int r = 0; r < kRows; ++r) rows[r] = router.row(min(first_row + r, router.to.rows - 1));
  for (int i = first; i < width; i += kStep) {
#pragma unroll
    for (int r = 0; r < kRows; ++r) asm volatile("prefetch.global.L2 [%0];" ::"l"(rows[r] + i));
  }
  wait_for_kernel_before();
  if (static_cast<int>(blockIdx.x) * kRowWarps * kRows >= router.to.rows) return norm_by_token<kWhole>(router);
  float sums[kRows * kOf] = {};
  float squares[kOf] = {};
#pragma unroll(kOf == 1 ? 2 : 1)
  for (int i = first; i < width; i += kStep) {
    const int count = width - i;
    float norm[kPiece];
    float weights[kRows][kPiece];
    float x[kOf][kPiece];
    load_piece(router.norm_weight + i, count, kWhole, norm);
#pragma unroll
    for (int r = 0; r < kRows; ++r) load_piece(rows[r] + i, count, kWhole, weights[r]);
#pragma unroll
    for (int t = 0; t < kOf; ++t) {
      load_piece(router.x + min(first_token + t, router.tokens - 1) * router.x_stride + i, count, kWhole, x[t]);
    }
#pragma unroll
    for (int t = 0; t < kOf; ++t) {
#pragma unroll
      for (int j = 0; j < kPiece; ++j) {
        squares[t] = __fmaf_rn(x[t][j], x[t][j], squares[t]);
        x[t][j] = __fmul_rn(x[t][j], norm[j]);
      }
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
#pragma unroll
        for (int j = 0; j < kPiece; ++j) sums[r * kOf + t] = __fmaf_rn(x[t][j], weights[r][j], sums[r * kOf + t]);
      }
    }
  }
  __shared__ float sum_parts[kTokenWarps][kRowWarps][kHalves][kRows * kOf];
  __shared__ float square_parts[kTokenWarps][kHalves][kOf];
  put_parts(sums, sum_parts[token_warp][row_warp][half]);
  if (row_warp == 0) put_parts(squares, square_parts[token_warp][half]);
  __syncthreads();
  // A thread adds up the halves of a row and a token; rows side by side.
  constexpr int kBlockRows = kRowWarps * kRows;
  const int own = static_cast<int>(threadIdx.x);
  const int token = own / kBlockRows;  // of the block's
  const int row = own % kBlockRows;
  const int64_t token_at = static_cast<int64_t>(blockIdx.y) * kTokenWarps * kOf + token;
  const int row_at = static_cast<int>(blockIdx.x) * kBlockRows + row;
  if (token >= kTokenWarps * kOf || token_at >= router.tokens || row_at >= router.to.rows) return;
  const int64_t place = token_at * kRouterShares + blockIdx.z;
  const auto& halves = sum_parts[token / kOf][row / kRows];
  const int value = row % kRows * kOf + token % kOf;
  router.to.sums[place * router.to.rows + row_at] = __fadd_rn(halves[0][value], halves[1][value]);
  if (row_at != 0) return;
  const auto& square_halves = square_parts[token / kOf];
  router.to.squares[place] = __fadd_rn(square_halves[0][token % kOf], square_halves[1][token % kOf]);
}

void check(const RouteArgs& args) {
  check_rule(args.rule, args.table);
  const int64_t tokens = args.table.tokens;
  CARAVEL_CHECK_GE(args.x.rows, tokens);
  CARAVEL_CHECK_EQ(args.x.width, args.router->in());
  CARAVEL_CHECK_GE(args.logits.rows, tokens);
  CARAVEL_CHECK_EQ(args.logits.width, args.router->out());
  CARAVEL_CHECK_GE(args.router->out(), int64_t{args.rule.experts});
  CARAVEL_CHECK_EQ(args.rows.tokens, args.table.row_count());
  CARAVEL_CHECK_EQ(args.rows.width, args.x.width);
  if (args.shared.data == nullptr) return;
  CARAVEL_CHECK_EQ(args.shared.tokens, tokens);
  CARAVEL_CHECK_EQ(args.shared.width, args.x.width);
}

template <int kOf, int kTokenWarps>
void run(Stream& stream, const Router& router) {
  const unsigned norming = router.by_token ? 1 : 0;
  const dim3 grid(blocks_for(router.to.rows, kRowWarps * kRows) + norming, blocks_for(router.tokens, kOf * kTokenWarps),
                  kRouterShares);
  const dim3 block(kWarp * kHalves * kRowWarps * kTokenWarps);
  if (router.whole) return launch_early(stream, sum_rows_of_router<kOf, kTokenWarps, true>, grid, block, 0, router);
  launch_early(stream, sum_rows_of_router<kOf, kTokenWarps, false>, grid, block, 0, router);
}

}  // namespace

void sum_router(Stream& stream, const RouteArgs& args, const RouterSums& to, bool by_token) {
  check(args);
  const PackedWeight& weight = *args.router;
  stream.region("router", static_cast<double>(weight.bytes()),
                static_cast<double>(weight.in() * weight.out()) * static_cast<double>(args.table.tokens));
  CARAVEL_CHECK(weight.input_form() == InputForm::kF32);
  const float* const x = floats(args.x);
  Router router = {.x = x,
                   .x_stride = args.x.stride,
                   .norm_weight = args.norm_weight,
                   .tokens = static_cast<int>(args.table.tokens),
                   .whole = in_pieces(x, args.x.stride) && in_pieces(args.norm_weight, weight.in()),
                   .to = to,
                   .by_token = by_token};
  if (by_token) {
    router.rows = input_rows(args.rows);
    router.shared = input_rows(args.shared);
    router.pieces = router.whole && in_pieces(router.rows) && in_pieces(router.shared);
  }
  std::ranges::fill(router.part_ends, to.rows);
  for (size_t i = 0; i < weight.parts().size(); ++i) {
    const PackedWeight::Part& part = weight.parts()[i];
    CARAVEL_CHECK(part.dtype == DType::kF32);
    router.parts[i] = reinterpret_cast<const float*>(weight.data() + part.offset);
    router.part_ends[i] = static_cast<int>(part.out_begin + part.rows);
    router.whole = router.whole && in_pieces(router.parts[i], weight.in());
  }
  if (router.tokens < 4) return run<1, 1>(stream, router);
  if (router.tokens <= 8) return run<8, 1>(stream, router);
  run<8, 2>(stream, router);
}

}  // namespace caravel::kernels::cuda
