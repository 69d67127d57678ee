#include <algorithm>

#include "kernels/cuda/expert_choice.cuh"
#include "kernels/cuda/expert_places.cuh"
#include "kernels/cuda/router_sums.cuh"
#include "kernels/cuda/spread_row.cuh"
#include "kernels/route.h"

namespace caravel::kernels::cuda {

void route(Stream& stream, const RouteArgs& args);
size_t route_workspace(int64_t tokens, int64_t width, int64_t router_rows, bool shares_f32);

namespace {

constexpr int kChooseWarps = 4;  // of a block, each with a token
constexpr int kSpreadThreads = 512;
constexpr int kChosenHere = 4;    // tokens whose experts every block chooses for itself that spreads, a warp for each
constexpr int kSpreadHere = 256;  // tokens whose rows the blocks of their experts bring there
constexpr int kSharedTokens = 4;  // that a block brings to `shared`
constexpr int kBlocks = 128;      // about as many as a GPU has processors

/// A warp's choice for a token by what its logits come to, which it `writes` too.
template <int kEach>
__device__ void choose_routed(const ChooseExpertsArgs& args, const RouterSums& router, int64_t token, float factor,
                              bool writes, ChoiceSpace& space, float* group_spaces) {
  if (writes) router.write_logits(args.logits, token, factor);
  ExpertChooser<kEach>(args, space, group_spaces).choose(token, writes, [&](int e) {
    return router.logit(token, e, factor);
  });
}

template <int kEach>
__global__ void __launch_bounds__(kChooseWarps* kWarp)
    choose_each_routed(ChooseExpertsArgs args, RouterSums router, float* factors) {
  follow_kernel_before();
  extern __shared__ float group_spaces[];
  __shared__ ChoiceSpace spaces[kChooseWarps];
  const unsigned warp = threadIdx.x / kWarp;
  const int64_t token = int64_t{blockIdx.x} * kChooseWarps + warp;
  if (token >= args.table.tokens) return;
  const float factor = router.factor(token);
  if (threadIdx.x % kWarp == 0) factors[token] = factor;
  choose_routed<kEach>(args, router, token, factor, true, spaces[warp], group_spaces);
}

struct SpreadChosen {
  ChooseExpertsArgs choose;
  RouterSums router;
  SpreadSource from;
  InputRows rows;
  InputRows shared;
};

/// A block for each expert, or several, finds the expert's rows and brings them there; blocks behind those bring rows
/// to `shared`. kEach: each block chooses for itself, as ExpertChooser has it; 0: tokens' experts are chosen.
template <int kEach>
__global__ void __launch_bounds__(kSpreadThreads, 1) spread_chosen(SpreadChosen args) {
  follow_kernel_before();
  const ExpertTable& table = args.choose.table;
  const int expert = static_cast<int>(blockIdx.x);
  const auto tokens = static_cast<int>(table.tokens);
  const int thread = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
  const int threads = static_cast<int>(gridDim.y * blockDim.x);
  SpreadSource from = args.from;
  if constexpr (kEach > 0) {
    __shared__ float factors[kChosenHere];
    if (static_cast<int>(threadIdx.x) < tokens) factors[threadIdx.x] = args.router.factor(threadIdx.x);
    __syncthreads();
    from.factors = factors;
  }
  if (expert >= table.experts) {
    const int first = (expert - table.experts) * kSharedTokens;
    return from.copy(min(kSharedTokens, tokens - first), args.shared, first, thread, threads,
                     [&](int r) { return first + r; });
  }
  const int per_token = table.per_token;
  const int32_t* chosen = table.chosen;
  const bool writes = blockIdx.y == 0;
  if constexpr (kEach > 0) {
    extern __shared__ float group_spaces[];
    __shared__ ChoiceSpace spaces[kChosenHere];
    __shared__ int32_t chosen_here[kChosenHere * kMaxExpertsPerToken];
    const int token = static_cast<int>(threadIdx.x) / kWarp;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    if (token < tokens) {
      choose_routed<kEach>(args.choose, args.router, token, from.factors[token], writes && expert == 0, spaces[token],
                           group_spaces);
      if (lane < per_token) chosen_here[token * per_token + lane] = spaces[token].chosen[lane];
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
  from.copy(range.count, args.rows, range.begin, thread, threads, [&](int r) { return own_tokens[r]; });
}

}  // namespace

size_t route_workspace(int64_t tokens, int64_t /*width*/, int64_t router_rows, bool /*shares_f32*/) {
  return static_cast<size_t>(tokens * (kRouterShares * (router_rows + 1) + 1)) * sizeof(float);
}

void route(Stream& stream, const RouteArgs& args) {
  const int64_t tokens = args.table.tokens;
  const RouterSums router = router_sums(args);
  float* const factors = router.squares + tokens * kRouterShares;
  sum_router(stream, args, router, false);
  const InputRows to = input_rows(args.rows);
  const InputRows shared = input_rows(args.shared);
  const float* const x = floats(args.x);
  const SpreadChosen spread = {
      .choose = choice_by(args),
      .router = router,
      .from = {.x = x,
               .stride = args.x.stride,
               .width = router.width,
               .norm_weight = args.norm_weight,
               .factors = factors,
               .whole = in_pieces(x, args.x.stride) && in_pieces(args.norm_weight, router.width) && in_pieces(to) &&
                        in_pieces(shared)},
      .rows = to,
      .shared = shared};
  const bool chooses = tokens <= kChosenHere;
  const int experts = args.rule.experts;
  if (!chooses) {
    with_chooser(experts, [&]<int kEach>() {
      launch_early(stream, choose_each_routed<kEach>, dim3(blocks_for(tokens, kChooseWarps)),
                   dim3(kChooseWarps * kWarp), kChooseWarps * group_space_bytes(args.rule), spread.choose, router,
                   factors);
    });
  }
  stream.region("spread");
  if (tokens > kSpreadHere) {
    sort_by_expert(stream, args.table);
    spread_by_token(stream, spread.from, args.table, to, shared);
    return;
  }
  const unsigned shares = shared.data != nullptr ? blocks_for(tokens, kSharedTokens) : 0;
  // Where experts are few, several blocks share an expert's rows.
  const dim3 grid(static_cast<unsigned>(experts) + shares,
                  std::clamp(static_cast<unsigned>(kBlocks / experts), 1U, blocks_for(tokens, 8)));
  if (!chooses) return launch_early(stream, spread_chosen<0>, grid, dim3(kSpreadThreads), 0, spread);
  with_chooser(experts, [&]<int kEach>() {
    launch_early(stream, spread_chosen<kEach>, grid, dim3(kSpreadThreads), kChosenHere * group_space_bytes(args.rule),
                 spread);
  });
}

}  // namespace caravel::kernels::cuda
