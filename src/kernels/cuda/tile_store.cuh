#pragma once

#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/store_heads.cuh"
#include "kernels/cuda/tile_walk.cuh"

namespace caravel::kernels::cuda {

/// What a thread stores of a tile: four neighbouring rows of some tokens. Warpgroups' rows lie side by side, but where
/// two of them make one output of two sums.
struct TileShare {
  int row;     // of the output
  int staged;  // where the rows are in a token's staged sums
  int token;   // the first of a pass
  int step;    // from one token to the next
  bool has_rows;
  bool by_fours;  // for all threads: the tile's outputs may be stored by fours
};

__device__ inline TileShare share_of_tile(const TileArgs& args, int row_tile) {
  constexpr int kFours = 16;  // of a warpgroup's rows
  const int thread = static_cast<int>(threadIdx.x);
  const int sides = args.paired ? 1 : args.plan.warpgroups;
  const int fours = kFours * sides;
  TileShare share{.staged = thread % fours * 4,
                  .token = thread / fours,
                  .step = 128 * args.plan.warpgroups / fours,
                  .by_fours = true};
  for (int side = 0; side < sides; ++side) {
    const Rows rows = rows_of_tile(args, row_tile, side);
    const int count = rows.count();
    share.by_fours = share.by_fours && count % 4 == 0 && args.output.takes_fours(rows.part->first_row);
    if (share.staged / 64 != side) continue;
    share.row = rows.row(share.staged % 64);
    share.has_rows = share.staged % 64 < count;
  }
  return share;
}

/// Staged sums one by one, of outputs that four rows of do not lie together.
/// Of `count` tokens from the tile's `first` on.
__device__ inline void store_single(const TileArgs& args, const Tile& tile, int first, int count, const float* staging,
                                    const float* factors) {
  const int lane = threadIdx.x % 32;
  for (int side = 0; side < (args.paired ? 1 : args.plan.warpgroups); ++side) {
    const Rows rows = rows_of_tile(args, tile.row_tile, side);
    const int row_count = rows.count();
    for (int t = static_cast<int>(threadIdx.x / 32); t < count; t += 4 * args.plan.warpgroups) {
      const int to = tile.output_row(first + t);
      if (to < 0) continue;
      const float* const sums = staging + t * kStagedStride + 64 * side;
      for (int r = lane; r < row_count; r += 32) {
        args.output.store(tile.expert, to, rows.row(r), __fmul_rn(sums[r], factors[t]),
                          args.paired ? __fmul_rn(sums[64 + r], factors[t]) : 0.0F);
      }
    }
  }
}

/// What becomes of a tile's sums, from the tile's first product on: they go through shared memory, so that neighbouring
/// lanes store neighbouring outputs, some tokens a pass. kAsksAhead: there are registers for what is asked for ahead.
template <int kTokens, bool kAsksAhead>
class TileStore {
 public:
  /// Puts what tokens' sums are multiplied by behind the staged sums, asks for what the sums will be added to,
  /// and has a norm's weights brought near.
  __device__ TileStore(const TileArgs& args, const Tile& tile, float* staging)
      : TileStore(args, tile, static_cast<int>(threadIdx.x) / 32 % 4 * 2,
                  static_cast<int>(threadIdx.x) / 32 % 4 * 2 + 1, staging) {}
  /// `group` and `upper_group`: those of its warpgroup's that the warp has.
  __device__ TileStore(const TileArgs& args, const Tile& tile, int group, int upper_group, float* staging)
      : tile_(tile), group_(group), upper_group_(upper_group) {
    for (int t = static_cast<int>(threadIdx.x); t < kTokens; t += 128 * args.plan.warpgroups) {
      staging[kFactors + t] = args.output.factor(min(tile_.first_token + t, tile_.end_token - 1));
    }
    if constexpr (!kAsksAhead) return;
    share_ = share_of_tile(args, tile.row_tile);
#pragma unroll
    for (int pass = 0; pass < kAhead; ++pass) ask(args, pass, before_[pass]);
    if (args.output.next.weight != nullptr && share_.has_rows) args.output.next.prefetch(share_.row);
  }

  /// By the threads of all warpgroups that have sums of the tile.
  __device__ void operator()(const TileArgs& args, const float (&sum)[kTokens / 2], float* staging) {
    if constexpr (!kAsksAhead) share_ = share_of_tile(args, tile_.row_tile);
    const int consumers = 128 * args.plan.warpgroups;
    if (stores_heads(args)) return store_heads(args, sum, staging);
    for (int first = 0; first < kPasses; first += kAhead) {
#pragma unroll
      for (int i = 0; i < kAhead; ++i) {
        const int pass = first + i;
#pragma unroll
        for (int p = i; p < kPasses; p += kAhead) {
          if (p == pass) stage(sum, p, staging);
        }
        sync_threads(1, consumers);
        if (share_.by_fours) {
          store_fours(args, pass, before_[i], staging);
        } else {
          store_single(args, tile_, pass * kPassTokens, kPassTokens, staging, staging + kFactors + pass * kPassTokens);
        }
        sync_threads(1, consumers);
      }
    }
  }

 private:
  static constexpr int kPassTokens = kTokens < kStagedTokens ? kTokens : kStagedTokens;
  static constexpr int kPasses = kTokens / kPassTokens;
  static constexpr bool kJoins = kAsksAhead;
  static constexpr int kFactors = kPassTokens * kStagedStride;      // where they lie, behind the staged sums
  static constexpr int kAhead = kAsksAhead && kPasses > 1 ? 2 : 1;  // passes
  static constexpr int kItems = kPassTokens / 8;                    // of a thread in a pass, at most

  __device__ void stage(const float (&sum)[kTokens / 2], int pass, float* staging) const {
    const int lane = threadIdx.x % 32;
    const int warp = static_cast<int>(threadIdx.x / 32);
    float* const mine = staging + warp / 4 * 64 + group_ * kGroupRows + lane / 4 + lane % 4 * 2 * kStagedStride;
    const int upper = (upper_group_ - group_) * kGroupRows;
#pragma unroll
    for (int j = 0; j < kPassTokens / 8; ++j) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        mine[(8 * j + e % 2) * kStagedStride + e / 2 * upper] = sum[(pass * kPassTokens / 8 + j) * 4 + e];
      }
    }
  }

  __device__ static bool norms(const TileArgs& args) { return kJoins && args.output.next.weight != nullptr; }
  __device__ static bool stores_heads(const TileArgs& args) {
    return kJoins && kTokens <= most_joined_tokens(false) && args.output.use == GemmUse::kQkv;
  }

  __device__ void store_heads(const TileArgs& args, const float (&sum)[kTokens / 2], float* staging) const {
    const TilePlan& plan = args.plan;
    const auto group = [&](int i) {
      const int side = i / plan.groups;
      return head_group(rows_of_tile(args, tile_.row_tile, side), i - side * plan.groups, 64 * side);
    };
    for (int pass = 0; pass < kPasses; ++pass) {
      const int first = tile_.first_token + pass * kPassTokens;
      const HeadGroups heads(args, plan.groups * plan.warpgroups, first, min(kPassTokens, tile_.end_token - first),
                             static_cast<int>(threadIdx.x), group);
#pragma unroll
      for (int p = 0; p < kPasses; ++p) {
        if (p == pass) stage(sum, p, staging);
      }
      sync_threads(1, 128 * plan.warpgroups);
      const float* const factors = staging + kFactors + pass * kPassTokens;
      heads.store(args, first, [&](int t, int row) {
        const float2 staged = *reinterpret_cast<const float2*>(staging + t * kStagedStride + row);
        return make_float2(__fmul_rn(staged.x, factors[t]), __fmul_rn(staged.y, factors[t]));
      });
      sync_threads(1, 128 * plan.warpgroups);
    }
  }

  __device__ void ask(const TileArgs& args, int pass, float4 (&before)[kItems]) const {
    if (!args.output.accumulate || !share_.has_rows || !share_.by_fours) return;
#pragma unroll
    for (int i = 0; i < kItems; ++i) {
      const int t = share_.token + i * share_.step;
      const int token = tile_.first_token + pass * kPassTokens + t;
      if (t < kPassTokens && token < tile_.end_token) before[i] = args.output.four(token, share_.row);
    }
  }

  __device__ void store_fours(const TileArgs& args, int pass, const float4 (&added)[kItems],
                              const float* staging) const {
    // Of a token whose row is normed next, all threads are asked.
    if (!share_.has_rows && !norms(args)) return;
#pragma unroll
    for (int i = 0; i < kItems; ++i) {
      const int t = share_.token + i * share_.step;
      if (t >= kPassTokens) continue;
      const int to = tile_.output_row(pass * kPassTokens + t);
      if (to < 0) continue;
      float4 value{};
      if (share_.has_rows) {
        if constexpr (kAsksAhead) {
          value = added[i];
        } else if (args.output.accumulate) {
          value = args.output.four(to, share_.row);
        }
        const float factor = staging[kFactors + pass * kPassTokens + t];
        const auto* const sums = reinterpret_cast<const float4*>(staging + t * kStagedStride + share_.staged);
        value = args.output.store_four(tile_.expert, to, share_.row, times(sums[0], factor),
                                       args.paired ? times(sums[16], factor) : float4{}, value);
      }
      if (norms(args)) {
        args.output.next.put_fours(to, share_.row, share_.has_rows, value);
      }
    }
  }

  TileShare share_;
  Tile tile_;
  int group_;
  int upper_group_;
  float4 before_[kAhead][kItems] = {};  // of a pass and those kAhead apart
};

}  // namespace caravel::kernels::cuda
