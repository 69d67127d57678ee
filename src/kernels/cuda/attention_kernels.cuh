#pragma once

#include <cstdint>

#include "kernels/cuda/attention_params.cuh"

namespace caravel::kernels::cuda {

/// Sequences of few rows: grid [any number that shares out the splits, KV heads, sequences]. Where the workspace has
/// room for a sequence's states and there is more than one block for it, blocks take splits in turn and leave states;
/// elsewhere the first block takes all of it.
template <typename Tile>
__global__ void __launch_bounds__(kAttentionThreads, 2)
    attend_few_rows(const __grid_constant__ AttentionParams params) {
  follow_kernel_before();
  extern __shared__ __align__(128) std::byte shared[];
  const int s = static_cast<int>(blockIdx.z);
  const AttentionSequence sequence = sequence_at(params.batch, s);
  if (sequence.queries <= 0 || !has_few_rows(params, sequence)) return;
  const int64_t first = gridDim.x > 1 ? first_state(params, s) : -1;
  if (first < 0 && blockIdx.x > 0) return;
  const Visible visible = sequence.visible(params.window);
  const int first_split = visible.begin / kSplitKeys;
  const int splits = splits_in(visible);
  if (first >= 0 && static_cast<int>(blockIdx.x) >= splits) return;
  Tile tile(params, shared);
  for (int begin = 0; begin < sequence.queries * params.group; begin += Tile::kRows) {
    const AttentionRows rows =
        rows_of(params, s, sequence, static_cast<int>(blockIdx.y), begin, static_cast<int>(Tile::kRows));
    const Visible seen = rows.visible(params);
    if (first < 0) {
      tile.begin(rows);
      tile.attend(seen, false);
      tile.store_totals();
      continue;
    }
    for (int i = static_cast<int>(blockIdx.x); i < splits; i += static_cast<int>(gridDim.x)) {
      const int split_begin = (first_split + i) * kSplitKeys;
      const Visible keys = {max(seen.begin, split_begin), min(seen.end, split_begin + kSplitKeys)};
      if (keys.begin >= keys.end) continue;
      tile.begin(rows);
      tile.attend(keys, true);
      tile.store_states([&](int r) {
        return state_of(params, first + int64_t{rows.query(params, r)} * splits + i, rows.head(params, r));
      });
    }
  }
}

/// Tiles of rows of all other sequences: grid [a bound of their number, KV heads]. The last tiles of a sequence see the
/// most keys, and come first.
template <typename Tile>
__global__ void __launch_bounds__(kAttentionThreads) attend_many_rows(const __grid_constant__ AttentionParams params) {
  follow_kernel_before();
  extern __shared__ __align__(128) std::byte shared[];
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int wanted = static_cast<int>(blockIdx.x);
  int before = 0;
  for (int first = 0; first < params.batch.num_seqs; first += kWarp) {
    const int s = first + lane;
    int tiles = 0;
    if (s < params.batch.num_seqs) {
      const AttentionSequence sequence = sequence_at(params.batch, s);
      if (sequence.queries > 0 && !has_few_rows(params, sequence)) {
        tiles = (sequence.queries * params.group + Tile::kRows - 1) / Tile::kRows;
      }
    }
    int end = tiles;  // of the tiles of sequences up to s
#pragma unroll
    for (int apart = 1; apart < kWarp; apart *= 2) {
      const int other = __shfl_up_sync(kAllLanes, end, apart);
      if (lane >= apart) end += other;
    }
    const unsigned behind = __ballot_sync(kAllLanes, before + end > wanted);
    if (behind == 0) {
      before += __shfl_sync(kAllLanes, end, kWarp - 1);
      continue;
    }
    const int found = __ffs(static_cast<int>(behind)) - 1;
    const int left = before + __shfl_sync(kAllLanes, end, found) - wanted - 1;
    const AttentionSequence sequence = sequence_at(params.batch, first + found);
    const AttentionRows rows = rows_of(params, first + found, sequence, static_cast<int>(blockIdx.y),
                                       left * Tile::kRows, static_cast<int>(Tile::kRows));
    Tile tile(params, shared);
    tile.begin(rows);
    tile.attend(rows.visible(params), false);
    tile.store_totals();
    return;
  }
}

/// What the kernels of one type of tile are launched as.
struct AttentionGrids {
  dim3 few;
  int64_t many_rows = 0;  // a bound of the rows that they have; 0: no such sequence
};

template <typename FewTile, typename ManyTile>
void launch_attention(Stream& stream, const AttentionParams& params, const AttentionGrids& grids) {
  launch_early(stream, attend_few_rows<FewTile>, grids.few, dim3(kAttentionThreads),
               FewTile::shared_bytes(params.cache.head_dim), params);
  if (grids.many_rows == 0) return;
  const int64_t tiles = grids.many_rows / ManyTile::kRows + params.batch.num_seqs;
  launch_early(stream, attend_many_rows<ManyTile>,
               dim3(static_cast<unsigned>(tiles), static_cast<unsigned>(params.cache.kv_heads)),
               dim3(kAttentionThreads), ManyTile::shared_bytes(params.cache.head_dim), params);
}

// By the type of keys and values; each in a source of its own.
void attend_f16(Stream& stream, const AttentionParams& params, const AttentionGrids& grids);
void attend_bf16(Stream& stream, const AttentionParams& params, const AttentionGrids& grids);
void attend_exactly(Stream& stream, const AttentionParams& params, const AttentionGrids& grids);

/// By the head's size.
template <typename T, template <typename, int, bool> typename Tile>
void launch_for_head(Stream& stream, const AttentionParams& params, const AttentionGrids& grids) {
  const int head_dim = params.cache.head_dim;
  if (head_dim <= 64) {
    launch_attention<Tile<T, 64, true>, Tile<T, 64, false>>(stream, params, grids);
  } else if (head_dim <= 96) {
    launch_attention<Tile<T, 96, true>, Tile<T, 96, false>>(stream, params, grids);
  } else if (head_dim <= 128) {
    launch_attention<Tile<T, 128, true>, Tile<T, 128, false>>(stream, params, grids);
  } else {
    launch_attention<Tile<T, 256, true>, Tile<T, 256, true>>(stream, params, grids);
  }
}

}  // namespace caravel::kernels::cuda
