#include <algorithm>

#include "kernels/cuda/expert_choice.cuh"
#include "kernels/cuda/expert_places.cuh"
#include "kernels/cuda/spread_row.cuh"
#include "kernels/route.h"

namespace caravel::kernels::cuda {

void route(Stream& stream, const RouteArgs& args);
size_t route_workspace(int64_t tokens, int64_t width, bool shares_f32);

namespace {

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarp;  // of a block
constexpr int kRows = 8;                  // of the router, that a block sums up
constexpr int kTokens = 8;                // for so many tokens, or for one
constexpr int kChosenHere = 16;           // tokens whose experts every block chooses for itself
constexpr int kSpreadHere = 256;          // tokens whose rows the blocks of their experts bring there
constexpr int kBlocks = 128;              // about as many as a GPU has processors

struct RouterRows {
  const float* x;
  int64_t x_stride;
  const float* norm_weight;
  float epsilon;
  const float* parts[PackedWeight::kMaxParts];  // of the router, [rows of the part, width]
  int part_ends[PackedWeight::kMaxParts];       // their last rows, and one more
  const float* bias;                            // or nullptr
  int row_count;
  int width;
  int tokens;
  bool whole;  // of all that is read
  float* logits;
  int64_t logits_stride;
  float* factors;  // [tokens]: what the norm multiplies a row by

  __device__ const float* row(int index) const {
    const float* at = parts[0] + int64_t{index} * width;
#pragma unroll
    for (size_t part = 1; part < PackedWeight::kMaxParts; ++part) {
      if (index >= part_ends[part - 1]) at = parts[part] + int64_t{index - part_ends[part - 1]} * width;
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

template <int kParts>
__device__ __forceinline__ float sum_of_warps(const float (&parts)[kWarps][kParts], int i) {
  float sum = parts[0][i];
#pragma unroll
  for (int w = 1; w < kWarps; ++w) sum = __fadd_rn(sum, parts[w][i]);
  return sum;
}

/// Norm and router of kOf tokens by kRows rows: threads share out the width, in an order that depends on that alone.
/// Rows are multiplied by the norm's weight on their way, and their sums by its factor.
template <int kOf>
__global__ void __launch_bounds__(kThreads) router_logits(RouterRows args) {
  let_next_kernel_in();
  const int first_row = static_cast<int>(blockIdx.x) * kRows;
  const int first_token = static_cast<int>(blockIdx.y) * kOf;
  const float* rows[kRows];
#pragma unroll
  for (int r = 0; r < kRows; ++r) rows[r] = args.row(min(first_row + r, args.row_count - 1));
  for (int i = static_cast<int>(threadIdx.x) * kPiece; i < args.width; i += kThreads * kPiece) {
#pragma unroll
    for (int r = 0; r < kRows; ++r) asm volatile("prefetch.global.L2 [%0];" ::"l"(rows[r] + i));
  }
  wait_for_kernel_before();
  float sums[kRows * kOf] = {};
  float squares[kOf] = {};
#pragma unroll 1
  for (int i = static_cast<int>(threadIdx.x) * kPiece; i < args.width; i += kThreads * kPiece) {
    const int count = args.width - i;
    float norm[kPiece];
    float weights[kRows][kPiece];
    load_piece(args.norm_weight + i, count, args.whole, norm);
#pragma unroll
    for (int r = 0; r < kRows; ++r) load_piece(rows[r] + i, count, args.whole, weights[r]);
#pragma unroll
    for (int t = 0; t < kOf; ++t) {
      float x[kPiece];
      load_piece(args.x + min(first_token + t, args.tokens - 1) * args.x_stride + i, count, args.whole, x);
#pragma unroll
      for (int j = 0; j < kPiece; ++j) {
        squares[t] = __fmaf_rn(x[j], x[j], squares[t]);
        x[j] = __fmul_rn(x[j], norm[j]);
      }
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
#pragma unroll
        for (int j = 0; j < kPiece; ++j) sums[r * kOf + t] = __fmaf_rn(x[j], weights[r][j], sums[r * kOf + t]);
      }
    }
  }
  __shared__ float sum_parts[kWarps][kRows * kOf];
  __shared__ float square_parts[kWarps][kOf];
  put_parts(sums, sum_parts[threadIdx.x / kWarp]);
  put_parts(squares, square_parts[threadIdx.x / kWarp]);
  __syncthreads();
  const int own = static_cast<int>(threadIdx.x);
  const int row = first_row + own / kOf;
  const int token = first_token + own % kOf;
  if (own >= kRows * kOf || row >= args.row_count || token >= args.tokens) return;
  const float mean = __fdiv_rn(sum_of_warps(square_parts, own % kOf), static_cast<float>(args.width));
  const float factor = __fdiv_rn(1.0F, __fsqrt_rn(__fadd_rn(mean, args.epsilon)));
  const float logit = __fmul_rn(sum_of_warps(sum_parts, own), factor);
  args.logits[token * args.logits_stride + row] = args.bias != nullptr ? __fadd_rn(logit, args.bias[row]) : logit;
  if (row == 0) args.factors[token] = factor;
}

struct SpreadChosen {
  ChooseExpertsArgs choose;
  SpreadSource from;
  InputRows rows;
  InputRows shared;
};

/// A block for each expert, or several, finds the expert's rows and brings them there; blocks behind those bring rows
/// to `shared`. kEach: each block chooses for itself, as ExpertChooser has it; 0: tokens' experts are chosen.
template <int kEach>
__global__ void __launch_bounds__(kThreads) spread_chosen(SpreadChosen args) {
  follow_kernel_before();
  const ExpertTable& table = args.choose.table;
  const int expert = static_cast<int>(blockIdx.x);
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const auto tokens = static_cast<int>(table.tokens);
  if (expert >= table.experts) {
    const int token = (expert - table.experts) * kWarps + warp;
    if (blockIdx.y == 0 && token < tokens) args.from.copy(token, args.shared, token);
    return;
  }
  const int per_token = table.per_token;
  const int32_t* chosen = table.chosen;
  const bool writes = blockIdx.y == 0;
  if constexpr (kEach > 0) {
    extern __shared__ float group_spaces[];
    __shared__ ChoiceSpace spaces[kWarps];
    __shared__ int32_t chosen_here[kChosenHere * kMaxExpertsPerToken];
    const RouterRule& rule = args.choose.rule;
    ExpertChooser<kEach> chooser(rule, args.choose.choice_bias, spaces[warp],
                                 group_spaces + warp * (rule.experts + rule.groups));
    const auto* const logits = static_cast<const float*>(args.choose.logits.data);
    for (int token = warp; token < tokens; token += kWarps) {
      const int first = token * per_token;
      const bool writes_choice = writes && expert == 0;
      chooser.choose(logits + token * args.choose.logits.stride, writes_choice ? table.chosen + first : nullptr,
                     table.weights + first);
      if (lane < per_token) chosen_here[first + lane] = spaces[warp].chosen[lane];
    }
    __syncthreads();
    chosen = chosen_here;
  }
  __shared__ int32_t own_tokens[kSpreadHere];
  const RowRange range = place_rows(chosen, tokens * per_token, expert, [&](int entry, int row, int place) {
    if (writes) write_row(table, entry, row);
    own_tokens[place] = entry / per_token;
  });
  if (writes) write_begin(table, expert, range);
  __syncthreads();
  const int step = static_cast<int>(gridDim.y) * kWarps;
  for (int r = static_cast<int>(blockIdx.y) * kWarps + warp; r < range.count; r += step) {
    args.from.copy(own_tokens[r], args.rows, range.begin + r);
  }
}

RouterRows router_rows(const RouteArgs& args, float* factors) {
  const PackedWeight& router = *args.router;
  CARAVEL_CHECK(router.input_form() == InputForm::kF32);
  RouterRows rows = {.x = floats(args.x),
                     .x_stride = args.x.stride,
                     .norm_weight = args.norm_weight,
                     .epsilon = args.norm_epsilon,
                     .bias = args.router_bias,
                     .row_count = static_cast<int>(router.out()),
                     .width = static_cast<int>(router.in()),
                     .tokens = static_cast<int>(args.table.tokens),
                     .whole = in_pieces(floats(args.x), args.x.stride) && in_pieces(args.norm_weight, router.in()),
                     .logits = floats(args.logits),
                     .logits_stride = args.logits.stride,
                     .factors = factors};
  std::ranges::fill(rows.part_ends, rows.row_count);
  for (size_t i = 0; i < router.parts().size(); ++i) {
    const PackedWeight::Part& part = router.parts()[i];
    CARAVEL_CHECK(part.dtype == DType::kF32);
    rows.parts[i] = reinterpret_cast<const float*>(router.data() + part.offset);
    rows.part_ends[i] = static_cast<int>(part.out_begin + part.rows);
    rows.whole = rows.whole && in_pieces(rows.parts[i], router.in());
  }
  return rows;
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

}  // namespace

size_t route_workspace(int64_t tokens, int64_t /*width*/, bool /*shares_f32*/) {
  return static_cast<size_t>(tokens) * sizeof(float);
}

void route(Stream& stream, const RouteArgs& args) {
  check(args);
  const auto tokens = static_cast<int>(args.table.tokens);
  auto* const factors = reinterpret_cast<float*>(args.workspace);
  const PackedWeight& router = *args.router;
  stream.region("router", static_cast<double>(router.bytes()),
                static_cast<double>(router.in() * router.out()) * tokens);
  const RouterRows rows = router_rows(args, factors);
  const unsigned row_blocks = blocks_for(router.out(), kRows);
  if (tokens < kTokens / 2) {
    launch_early(stream, router_logits<1>, dim3(row_blocks, static_cast<unsigned>(tokens)), dim3(kThreads), 0, rows);
  } else {
    launch_early(stream, router_logits<kTokens>, dim3(row_blocks, blocks_for(tokens, kTokens)), dim3(kThreads), 0,
                 rows);
  }
  const InputRows to = input_rows(args.rows);
  const InputRows shared = input_rows(args.shared);
  const SpreadChosen spread = {
      .choose = {.logits = args.logits, .choice_bias = args.choice_bias, .rule = args.rule, .table = args.table},
      .from = {.x = rows.x,
               .stride = rows.x_stride,
               .width = rows.width,
               .norm_weight = rows.norm_weight,
               .factors = factors,
               .whole = rows.whole && in_pieces(to) && in_pieces(shared)},
      .rows = to,
      .shared = shared};
  const bool chooses = tokens <= kChosenHere;
  if (!chooses) choose_experts(stream, spread.choose);
  stream.region("spread");
  if (tokens > kSpreadHere) {
    sort_by_expert(stream, args.table);
    spread_by_token(stream, spread.from, args.table, to, shared);
    return;
  }
  const int experts = args.rule.experts;
  const unsigned shares = shared.data != nullptr ? blocks_for(tokens, kWarps) : 0;
  const dim3 grid(static_cast<unsigned>(experts) + shares,
                  static_cast<unsigned>(std::clamp(kBlocks / experts, 1, (tokens + kWarps - 1) / kWarps)));
  if (!chooses) return launch_early(stream, spread_chosen<0>, grid, dim3(kThreads), 0, spread);
  with_chooser(experts, [&]<int kEach>() {
    launch_early(stream, spread_chosen<kEach>, grid, dim3(kThreads), kWarps * group_space_bytes(args.rule), spread);
  });
}

}  // namespace caravel::kernels::cuda
