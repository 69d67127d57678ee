#pragma once

#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/tile_args.cuh"

namespace caravel::kernels::cuda {

/// Stores staged sums of `tokens` tokens and of `rows` rows, up to 64, both by fours of rows; a thread asks for what
/// kAtOnce of them are added to before it awaits one.
template <int kAtOnce>
__device__ inline void store_fours(const GemmOutput& output, int first_token, int tokens, int first_row, int rows,
                                   int threads, const float* staged) {
  constexpr int kFours = 16;  // of a token
  const int row = static_cast<int>(threadIdx.x) % kFours * 4;
  if (row >= rows) return;
  const int step = threads / kFours;
  const auto staged_four = [&](int t, int r) {
    return *reinterpret_cast<const float4*>(staged + t * kStagedStride + r);
  };
  if (!output.accumulate || output.use != GemmUse::kPlain) {
    for (int t = static_cast<int>(threadIdx.x) / kFours; t < tokens; t += step) {
      output.store_four(first_token + t, first_row + row, staged + t * kStagedStride + row,
                        staged + t * kStagedStride + 64 + row);
    }
    return;
  }
  for (int first = static_cast<int>(threadIdx.x) / kFours; first < tokens; first += kAtOnce * step) {
    float4 before[kAtOnce];
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int t = first + i * step;
      if (t < tokens) before[i] = output.four(first_token + t, first_row + row);
    }
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int t = first + i * step;
      if (t < tokens) output.add_four(first_token + t, first_row + row, staged_four(t, row), before[i]);
    }
  }
}

/// Sums of a tile: through shared memory, so that neighbouring lanes store neighbouring outputs.
template <int kTokens>
__device__ inline void store_sums(const TileArgs& args, int row_tile, int token_tile, const float (&sum)[kTokens / 2],
                                  float* staging) {
  constexpr int kPassTokens = kTokens < kStagedTokens ? kTokens : kStagedTokens;
  constexpr int kFoursAtOnce = kTokens < 256 ? 2 : 1;  // as registers allow
  const TilePlan& plan = args.plan;
  const int consumers = 128 * plan.warpgroups;
  const int lane = threadIdx.x % 32;
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int first_token = token_tile * kTokens;
  // In a warpgroup's 64 rows, warp w has 16w to 16w + 15.
  float* const mine = staging + warp / 4 * 64 + warp % 4 * 16 + lane / 4 + lane % 4 * 2 * kStagedStride;
  for (int pass = 0; pass < kTokens / kPassTokens; ++pass) {
#pragma unroll
    for (int p = 0; p < kTokens / kPassTokens; ++p) {
      if (p != pass) continue;
#pragma unroll
      for (int j = 0; j < kPassTokens / 8; ++j) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          mine[(8 * j + e % 2) * kStagedStride + e / 2 * 8] = sum[(p * kPassTokens / 8 + j) * 4 + e];
        }
      }
    }
    sync_threads(1, consumers);
    const int pass_token = first_token + pass * kPassTokens;
    const int count = min(kPassTokens, args.tokens - pass_token);
    for (int w = 0; w < (args.paired ? 1 : plan.warpgroups); ++w) {
      const Rows rows = rows_of_tile(args, row_tile, w);
      const int first_row = rows.first_group * kGroupRows;
      const int row_count = min(rows.groups * kGroupRows, rows.part->rows - first_row);
      const int out_row = rows.part->first_row + first_row;
      if (row_count % 4 == 0 && args.output.takes_fours(out_row)) {
        store_fours<kFoursAtOnce>(args.output, pass_token, count, out_row, row_count, consumers, staging + 64 * w);
        continue;
      }
      for (int t = warp; t < count; t += consumers / 32) {
        const float* const sums = staging + t * kStagedStride + 64 * w;
        for (int r = lane; r < row_count; r += 32) {
          args.output.store(pass_token + t, out_row + r, sums[r], args.paired ? sums[64 + r] : 0.0F);
        }
      }
    }
    sync_threads(1, consumers);
  }
}

}  // namespace caravel::kernels::cuda
