#include <algorithm>

#include "kernels/cuda/expert_choice.cuh"
#include "kernels/cuda/next_row.cuh"
#include "kernels/cuda/spread_row.cuh"
#include "kernels/expert_rows.h"

namespace caravel::kernels::cuda {

void spread_rows(Stream& stream, const SpreadRowsArgs& args);
void join_rows(Stream& stream, const JoinRowsArgs& args);

namespace {

constexpr int kMostSpreadThreads = 512;
constexpr int kMostJoinThreads = 512;

/// A block for each token.
__global__ void __launch_bounds__(kMostSpreadThreads)
    spread_tokens(SpreadSource from, ExpertTable table, InputRows rows, InputRows shared) {
  follow_kernel_before();
  const int64_t token = blockIdx.x;
  __shared__ int32_t places[kMaxExpertsPerToken];
  if (static_cast<int>(threadIdx.x) < table.per_token) {
    places[threadIdx.x] = table.rows[token * table.per_token + threadIdx.x];
  }
  __syncthreads();
  for_pieces(from.width, [&](int i) {
    float piece[1][kPiece];
    from.load({true}, {token}, {i}, piece);
    for (int k = 0; k < table.per_token; ++k) rows.store(places[k], i, from.width - i, from.whole, piece[0]);
    if (shared.data != nullptr) shared.store(token, i, from.width - i, from.whole, piece[0]);
  });
}

struct Join {
  const BFloat16* rows;
  int64_t rows_stride;
  ExpertTable table;
  const BFloat16* shared;  // or nullptr
  int64_t shared_stride;
  const float* gate;  // logits; or nullptr
  int64_t gate_stride;
  bool accumulate;
  int width;
  bool whole;  // of all that is read and written
};

/// A block for each token.
template <typename Out, typename Next>
__global__ void __launch_bounds__(kMostJoinThreads, 2)
    join_each(Join join, Out* out, int64_t out_stride, NextRows next) {
  follow_kernel_before();
  const int64_t token = blockIdx.x;
  const int per_token = join.table.per_token;
  __shared__ int32_t places[kMaxExpertsPerToken];
  __shared__ float weights[kMaxExpertsPerToken];
  if (static_cast<int>(threadIdx.x) < per_token) {
    places[threadIdx.x] = join.table.rows[token * per_token + threadIdx.x];
    weights[threadIdx.x] = join.table.weights[token * per_token + threadIdx.x];
  }
  const float gate = join.gate != nullptr ? sigmoid(join.gate[token * join.gate_stride]) : 1.0F;
  NextRow<Next> next_row(next, token, join.whole);
  Out* const to = out + token * out_stride;
  __syncthreads();
  for_pieces_together(join.width, [&](int i, int count) {
    const bool in_one = join.whole && count > 0;
    float sums[kPiece] = {};
    float before[kPiece] = {};
    if (join.accumulate) load_piece(to + i, count, in_one, before);
    if (join.shared != nullptr) {
      load_piece(join.shared + token * join.shared_stride + i, count, in_one, sums);
#pragma unroll
      for (float& sum : sums) sum = __fmul_rn(gate, sum);
    }
#pragma unroll 8
    for (int k = 0; k < per_token; ++k) {
      float piece[kPiece];
      load_piece(join.rows + places[k] * join.rows_stride + i, count, in_one, piece);
#pragma unroll
      for (int j = 0; j < kPiece; ++j) sums[j] = __fmaf_rn(weights[k], piece[j], sums[j]);
    }
#pragma unroll
    for (int j = 0; j < kPiece; ++j) sums[j] = __fadd_rn(sums[j], before[j]);
    store_piece(to + i, count, in_one, sums);
    if (next.weight != nullptr) next_row.put(i, count, sums);
  });
  if (next.weight != nullptr) next_row.finish();
}

}  // namespace

void spread_by_token(Stream& stream, const SpreadSource& from, const ExpertTable& table, const InputRows& rows,
                     const InputRows& shared) {
  launch_early(stream, spread_tokens, dim3(blocks_for(table.tokens, 1)),
               dim3(std::min(row_threads(from.width), kMostSpreadThreads)), 0, from, table, rows, shared);
}

void spread_rows(Stream& stream, const SpreadRowsArgs& args) {
  const float* const x = floats(args.x);
  CARAVEL_CHECK_GE(args.x.rows, args.table.tokens);
  CARAVEL_CHECK_EQ(args.x.width, args.out.width);
  CARAVEL_CHECK_EQ(args.out.tokens, args.table.row_count());
  const InputRows rows = input_rows(args.out);
  spread_by_token(stream,
                  {.x = x,
                   .stride = args.x.stride,
                   .width = static_cast<int>(args.x.width),
                   .whole = in_pieces(x, args.x.stride) && in_pieces(rows)},
                  args.table, rows, {});
}

void join_rows(Stream& stream, const JoinRowsArgs& args) {
  const int64_t width = args.out.width;
  const auto check = [&](const Tensor& tensor, int64_t rows) {
    CARAVEL_CHECK_GE(tensor.rows, rows);
    CARAVEL_CHECK_EQ(tensor.width, width);
  };
  check(args.rows, args.table.row_count());
  check(args.out, args.table.tokens);
  Join join = {.rows = products(args.rows),
               .rows_stride = args.rows.stride,
               .table = args.table,
               .accumulate = args.accumulate,
               .width = static_cast<int>(width)};
  if (args.shared.data != nullptr) {
    check(args.shared, args.table.tokens);
    join.shared = products(args.shared);
    join.shared_stride = args.shared.stride;
  }
  if (args.shared_gate.data != nullptr) {
    join.gate = floats(args.shared_gate);
    join.gate_stride = args.shared_gate.stride;
  }
  join.whole = in_pieces(join.rows, join.rows_stride) && in_pieces(join.shared, join.shared_stride);
  const dim3 grid(blocks_for(args.table.tokens, 1));
  const dim3 block(std::min(row_threads(width), kMostJoinThreads));
  const auto run = [&]<typename Out, typename Next>(Out* out, Next* next) {
    Join all = join;
    all.whole =
        all.whole && in_pieces(out, args.out.stride) && in_pieces(next, width) && in_pieces(args.next.weight, width);
    launch_early(stream, join_each<Out, Next>, grid, block, 0, all, out, args.out.stride, next_rows(args.next));
  };
  if (args.out.dtype == DType::kBF16) {
    CARAVEL_CHECK(args.next.weight == nullptr);
    return run(products(args.out), static_cast<float*>(nullptr));
  }
  if (args.next.weight == nullptr) return run(floats(args.out), static_cast<float*>(nullptr));
  CARAVEL_CHECK(args.next.out.normed);
  CARAVEL_CHECK_EQ(args.next.out.tokens, args.table.tokens);
  CARAVEL_CHECK_EQ(args.next.out.width, width);
  with_normed(args.next.out, [&](auto* next) { run(floats(args.out), next); });
}

}  // namespace caravel::kernels::cuda
