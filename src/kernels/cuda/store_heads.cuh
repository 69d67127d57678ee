#pragma once

#include <cuda_fp8.h>

#include "kernels/cuda/common.cuh"
#include "kernels/cuda/tile_args.cuh"

namespace caravel::kernels::cuda {

/// Elements d and d + 1 of a head, d even, into its row of the cache; of types without scales.
__device__ inline void store_kv(KvDtype dtype, std::byte* row, int d, float2 x) {
  switch (dtype) {
    case KvDtype::kF32:
      reinterpret_cast<float2*>(row)[d / 2] = x;
      return;
    case KvDtype::kFp8:
      reinterpret_cast<__nv_fp8x2_storage_t*>(row)[d / 2] = __nv_cvt_float2_to_fp8x2(x, __NV_SATFINITE, __NV_E4M3);
      return;
    case KvDtype::kBF16:
      reinterpret_cast<uint32_t*>(row)[d / 2] = pack_pair<BFloat16>(x.x, x.y);
      return;
    default:
      reinterpret_cast<uint32_t*>(row)[d / 2] = pack_pair<Half>(x.x, x.y);
  }
}

/// Sums of `count` tokens and of one warpgroup's rows, which are of heads of Q, K and V: what rotary_cache() would make
/// of them once they are rounded to BF16. By `threads` threads. sums(token, row): those of two neighbouring rows, of
/// which each warpgroup has 64; the other rows of pairs may be another warpgroup's.
template <typename Sums>
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
  const bool value = head >= to.heads + to.cache.kv_heads;
  const bool rotates = to.cos_sin != nullptr && !value && d < to.rotary_dim;
  // Of halves: groups of either take turns (GroupOrder).
  const int half = to.halves ? to.rotary_dim / 2 : 0;
  const bool second = to.halves && d >= half;
  const int tile_rows = args.plan.groups * kGroupRows;
  const int other = (warpgroup * tile_rows + row) ^ kGroupRows;  // of the tile's
  for (int t = thread / kPairs; t < count; t += threads / kPairs) {
    const int64_t token = first_token + t;
    float2 x = product(t, 64 * warpgroup + row, out_row);
    if (rotates) {
      const auto* const angles = reinterpret_cast<const float2*>(to.cos_sin + token * to.rotary_dim);
      if (to.halves) {
        const float2 y =
            product(t, other < tile_rows ? other : other - tile_rows + 64, second ? out_row - half : out_row + half);
        const float4 two = *reinterpret_cast<const float4*>(angles + (second ? d - half : d));
        const float2 low = make_float2(two.x, two.y);
        const float2 high = make_float2(two.z, two.w);
        x = second ? make_float2(rotated_second(y.x, x.x, low), rotated_second(y.y, x.y, high))
                   : make_float2(rotated_first(x.x, y.x, low), rotated_first(x.y, y.y, high));
      } else {
        const float2 angle = angles[d / 2];
        x = make_float2(rotated_first(x.x, x.y, angle), rotated_second(x.x, x.y, angle));
      }
    }
    if (head < to.heads) {
      reinterpret_cast<uint32_t*>(output.out)[(token * output.stride + out_row) / 2] = pack_pair<BFloat16>(x.x, x.y);
      continue;
    }
    const int64_t slot = to.slots[token];
    if (slot < 0) continue;
    const KvRow kv(to.cache, to.layout, slot, (head - to.heads) % to.cache.kv_heads, value);
    store_kv(to.cache.dtype, kv.row, d, x);
  }
}

}  // namespace caravel::kernels::cuda
