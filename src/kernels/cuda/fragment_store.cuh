#pragma once

#include "kernels/cuda/fragment_requests.cuh"
#include "kernels/cuda/store_heads.cuh"

/// What a block's splits have summed up is stored by two warps more, while these are at the next tile; of more tokens
/// than 32 by all that multiply.
namespace caravel::kernels::cuda {

constexpr int kStoringThreads = 64;

/// Sums of a tile, as its splits leave them in shared memory: [split][token][kPartStride], of as many splits as
/// parts_kept() says.
template <int kTokens>
struct TileSums {
  const float* parts;

  /// Of four neighbouring rows.
  __device__ float4 four(int token, int row) const {
    const float* const at = parts + token * kPartStride + row;
    float4 sum = *reinterpret_cast<const float4*>(at);
#pragma unroll
    for (int split = 1; split < parts_kept(kTokens); ++split) {
      sum = GemmOutput::sum_of(sum, *reinterpret_cast<const float4*>(at + split * kTokens * kPartStride));
    }
    return sum;
  }
  /// Of two, the first even.
  __device__ float2 two(int token, int row) const {
    const float4 sum = four(token, row / 4 * 4);
    return row % 4 == 0 ? make_float2(sum.x, sum.y) : make_float2(sum.z, sum.w);
  }
};

/// A tile, or one of its two passes.
struct StoredTile {
  Rows rows;
  const TilePart* part;  // of the pass
  int expert;
  int first_token;
  int count;    // of tokens
  bool last;    // pass
  bool second;  // pass of two
};

/// Heads of Q, K and V.
template <int kTokens>
__device__ void store_tile_heads(const TileArgs& args, const StoredTile& tile, const TileSums<kTokens>& sums,
                                 const HeadGroups& heads) {
  if (heads.token() < 0) return;
  const float factor = args.output.factor(tile.first_token + heads.token());
  const auto finished = [&](int t, int row) {
    const float2 sum = sums.two(t, row);
    const int of_part = tile.rows.first_group * kGroupRows + row;
    return make_float2(__fmul_rn(__fmul_rn(sum.x, tile.part->scale_of(tile.expert, of_part)), factor),
                       __fmul_rn(__fmul_rn(sum.y, tile.part->scale_of(tile.expert, of_part + 1)), factor));
  };
  static_assert(kTokens > most_joined_tokens(true) || kTokens * 8 / 2 <= kStoringThreads);
  heads.store(args, tile.first_token, finished);
}

/// What is known of four rows of a token before their sums are.
struct AheadOfSums {
  float4 there;   // what they are added to
  float4 scales;  // of the rows
  float factor;   // of the token
};

/// Four rows of a token by each of kThreads threads. wait(): until sums are there. first_pass: room for a tile's.
template <int kTokens, int kThreads, typename Wait>
__device__ void store_tile_fours(const TileArgs& args, const StoredTile& tile, const TileSums<kTokens>& sums,
                                 float* first_pass, int thread, const Wait& wait) {
  constexpr int kFours = 16;  // of a token's rows
  const GemmOutput& output = args.output;
  const Rows& rows = tile.rows;
  const int row_count = rows.count();
  const int items = tile.count * kFours;
  const bool by_fours = row_count % 4 == 0 && output.takes_fours(rows.part->first_row);
  const int row = thread % kFours * 4;  // of all of a thread's
  const bool has_rows = row < row_count;
  const int out_row = rows.row(row);
  const auto look_ahead = [&](int i) {
    AheadOfSums ahead{.scales = make_float4(1.0F, 1.0F, 1.0F, 1.0F), .factor = 1.0F};
    if (i >= items || !has_rows) return ahead;
    if (tile.part->row_scales != nullptr) {
      const int of_part = rows.first_group * kGroupRows + row;
      ahead.scales =
          make_float4(tile.part->scale_of(tile.expert, of_part), tile.part->scale_of(tile.expert, of_part + 1),
                      tile.part->scale_of(tile.expert, of_part + 2), tile.part->scale_of(tile.expert, of_part + 3));
    }
    if (!tile.last) return ahead;
    const int token = tile.first_token + i / kFours;
    ahead.factor = output.factor(token);
    if (output.accumulate && by_fours) ahead.there = output.four(token, out_row);
    return ahead;
  };
  constexpr bool kAhead = kThreads == kStoringThreads;  // more threads have an item or two
  AheadOfSums next;
  if constexpr (kAhead) next = look_ahead(thread);
  wait();
  for (int i = thread; i < items; i += kThreads) {
    if constexpr (!kAhead) next = look_ahead(i);
    const AheadOfSums ahead = next;
    if constexpr (kAhead) next = look_ahead(i + kThreads);
    const int t = i / kFours;
    float4 sum = sums.four(t, row);
    sum = make_float4(__fmul_rn(sum.x, ahead.scales.x), __fmul_rn(sum.y, ahead.scales.y),
                      __fmul_rn(sum.z, ahead.scales.z), __fmul_rn(sum.w, ahead.scales.w));
    auto* const before = reinterpret_cast<float4*>(first_pass + t * kPartStride + row);  // this thread's
    if (!tile.last) {
      *before = sum;
      continue;
    }
    const int token = tile.first_token + t;
    const float4 gate = times(tile.second ? *before : sum, ahead.factor);
    sum = times(sum, ahead.factor);
    if (by_fours) {
      const float4 value = has_rows ? output.store_four(tile.expert, token, out_row, gate, sum, ahead.there) : float4{};
      if (kTokens <= most_joined_tokens(true) && output.next.weight != nullptr) {
        output.next.put_fours(token, out_row, has_rows, value);
      }
      continue;
    }
    const float gates[4] = {gate.x, gate.y, gate.z, gate.w};
    const float up_sums[4] = {sum.x, sum.y, sum.z, sum.w};
#pragma unroll
    for (int r = 0; r < 4; ++r) {
      if (row + r < row_count) output.store(tile.expert, token, out_row + r, gates[r], up_sums[r]);
    }
  }
}

/// A pass of a tile, as it is stored.
template <int kSplits>
__device__ inline StoredTile stored_tile(const TileArgs& args, const Tile& of, int tokens, int pass) {
  const Rows rows = rows_of_tile(args, of.row_tile, 0);
  return {.rows = rows,
          .part = pass > 0 ? &args.parts[1] : rows.part,
          .expert = of.expert,
          .first_token = of.first_token,
          .count = min(tokens, of.end_token - of.first_token),
          .last = pass + 1 == passes<kSplits>(args),
          .second = pass > 0};
}

template <int kTokens, int kSplits, bool kExperts>
__device__ void store_parts(const TileWalk<kExperts>& walk, uint8_t* shared, const Ring& handover, int thread) {
  const TileArgs& args = walk.args;
  const TileSums<kTokens> sums{reinterpret_cast<const float*>(shared + args.plan.parts_begin)};
  auto* const first_pass = reinterpret_cast<float*>(shared + args.plan.staging_begin);
  wait_for_kernel_before();
  RingPlace place;
  walk.template operator()<kTokens>([&](const Tile& of) {
    for (int pass = 0; pass < passes<kSplits>(args); ++pass) {
      const StoredTile tile = stored_tile<kSplits>(args, of, kTokens, pass);
      if (!kExperts && kTokens <= most_joined_tokens(true) && args.output.use == GemmUse::kQkv) {
        const HeadGroups heads(args, args.plan.groups, tile.first_token, tile.count, thread,
                               [&](int i) { return head_group(tile.rows, i, 0); });
        handover.wait_filled(place);
        store_tile_heads(args, tile, sums, heads);
      } else {
        store_tile_fours<kTokens, kStoringThreads>(args, tile, sums, first_pass, thread,
                                                   [&] { handover.wait_filled(place); });
      }
      __syncwarp();
      if (thread % 32 == 0) arrive(handover.emptied(place));
      place.advance(1);
    }
  });
}

}  // namespace caravel::kernels::cuda
