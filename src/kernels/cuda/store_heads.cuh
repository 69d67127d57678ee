#pragma once

#include "kernels/cuda/common.cuh"
#include "kernels/cuda/tile_args.cuh"

namespace caravel::kernels::cuda {

/// Sums of `count` tokens and of one warpgroup's rows, which are of heads of Q, K and V: what rotary_cache() would make
/// of them once they are rounded to BF16. By `threads` threads. sums(token, row): those of two neighbouring rows, of
/// which each warpgroup has 64; the other rows of pairs may be another warpgroup's. kAtOnce: tokens of a thread whose
/// angles and slots are asked for before any is stored: one after the other, each would take memory's latency.
template <int kAtOnce, typename Sums>
__device__ inline void store_heads(const TileArgs& args, const Rows& rows, int warpgroup, int first_token, int count,
                                   int thread, int threads, const Sums& sums) {
  constexpr int kPairs = 32;  // of a token's rows
  const GemmOutput& output = args.output;
  const HeadsOutput& to = output.heads;
  const int row = thread % kPairs * 2;
  if (row >= rows.count()) return;
  const auto product = [&](int t, int of_all, int of_row) {
    const float2 of_two = sums(t, of_all);
    return unpack_pair<BFloat16>(
        pack_pair<BFloat16>(output.with_bias(of_two.x, of_row), output.with_bias(of_two.y, of_row + 1)));
  };
  const int out_row = rows.row(row);
  const int head = out_row / to.cache.head_dim;  // of Q's, then K's, then V's
  const int d = out_row - head * to.cache.head_dim;
  const bool query = head < to.heads;
  const bool value = head >= to.heads + to.cache.kv_heads;
  const bool rotates = to.cos_sin != nullptr && !value && d < to.rotary_dim;
  // Of halves: groups of either take turns (GroupOrder).
  const int half = to.halves ? to.rotary_dim / 2 : 0;
  const bool second = to.halves && d >= half;
  const int tile_rows = args.plan.groups * kGroupRows;
  const int other = (warpgroup * tile_rows + row) ^ kGroupRows;  // of the tile's
  const int step = threads / kPairs;
  for (int begin = thread / kPairs; begin < count; begin += kAtOnce * step) {
    float4 angles[kAtOnce];  // of d's pair and, of halves, the next
    int32_t slots[kAtOnce];
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int64_t token = first_token + min(begin + i * step, count - 1);
      if (!query) slots[i] = static_cast<int32_t>(to.slots[token]);  // there are few enough
      if (!rotates) continue;
      const auto* const of_token = reinterpret_cast<const float2*>(to.cos_sin + token * to.rotary_dim);
      if (to.halves) {
        angles[i] = *reinterpret_cast<const float4*>(of_token + (second ? d - half : d));
      } else {
        const float2 angle = of_token[d / 2];
        angles[i] = make_float4(angle.x, angle.y, 0.0F, 0.0F);
      }
    }
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int t = begin + i * step;
      if (t >= count) break;
      const int64_t token = first_token + t;
      float2 x = product(t, 64 * warpgroup + row, out_row);
      const float2 low = make_float2(angles[i].x, angles[i].y);
      if (rotates && to.halves) {
        const float2 y =
            product(t, other < tile_rows ? other : other - tile_rows + 64, second ? out_row - half : out_row + half);
        const float2 high = make_float2(angles[i].z, angles[i].w);
        x = second ? make_float2(rotated_second(y.x, x.x, low), rotated_second(y.y, x.y, high))
                   : make_float2(rotated_first(x.x, y.x, low), rotated_first(x.y, y.y, high));
      } else if (rotates) {
        x = make_float2(rotated_first(x.x, x.y, low), rotated_second(x.x, x.y, low));
      }
      if (query) {
        reinterpret_cast<uint32_t*>(output.out)[(token * output.stride + out_row) / 2] = pack_pair<BFloat16>(x.x, x.y);
      } else if (slots[i] >= 0) {
        const KvRow kv(to.cache, to.layout, slots[i], (head - to.heads) % to.cache.kv_heads, value);
        store_kv(to.cache.dtype, kv.row, d, x);
      }
    }
  }
}

}  // namespace caravel::kernels::cuda
