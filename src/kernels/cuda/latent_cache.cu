#include "kernels/cuda/common.cuh"
#include "kernels/cuda/kv_store.cuh"
#include "kernels/latent_cache.h"

namespace caravel::kernels::cuda {

void latent_cache(Stream& stream, const LatentCacheArgs& args);

namespace {

constexpr int kThreads = 256;
/// A warp has a head of a token, or its key, at a time.
constexpr int kWarps = kThreads / kWarp;

template <typename Out>
__device__ void hand_on(Out* to, const BFloat16* from, int count, int lane) {
  for (int d = lane; d < count; d += kWarp) to[d] = from_float<Out>(to_float(from[d]));
}

/// `room`: of the warp.
__device__ void hand_on_query(const LatentCacheArgs& args, int64_t token, int head, float* room, int lane) {
  const KvLayer& cache = args.cache;
  const int rotary_dim = cache.head_dim - cache.value_dim;
  const BFloat16* const x =
      static_cast<const BFloat16*>(args.q.data) + token * args.q.stride + head * (args.nope_dim + rotary_dim);
  const int64_t at = token * args.nope.width + int64_t{head} * args.nope_dim;
  if (args.nope.form == InputForm::kF32) {
    hand_on(reinterpret_cast<float*>(args.nope.data) + at, x, args.nope_dim, lane);
  } else {
    hand_on(reinterpret_cast<BFloat16*>(args.nope.data) + at, x, args.nope_dim, lane);
  }
  hand_on(room, x + args.nope_dim, rotary_dim, lane);
  __syncwarp();
  rotate_head(room, args.cos_sin + token * rotary_dim, rotary_dim, args.style, lane);
  __syncwarp();
  BFloat16* const to = static_cast<BFloat16*>(args.rotated.data) + token * args.rotated.stride +
                       int64_t{head} * cache.head_dim + cache.value_dim;
  for (int d = lane; d < rotary_dim; d += kWarp) to[d] = from_float<BFloat16>(room[d]);
}

__device__ void store_key(const LatentCacheArgs& args, int64_t token, float* key, int lane) {
  const KvLayer& cache = args.cache;
  const int64_t slot = args.slots[token];
  if (slot < 0) return;
  const int value_dim = cache.value_dim;
  const int rotary_dim = cache.head_dim - value_dim;
  hand_on(key, static_cast<const BFloat16*>(args.latent.data) + token * args.latent.stride, cache.head_dim, lane);
  __syncwarp();
  const float factor = head_factor(key, value_dim, args.norm_epsilon, lane);
  for (int d = lane; d < value_dim; d += kWarp) key[d] = key[d] * factor * args.norm[d];
  rotate_head(key + value_dim, args.cos_sin + token * rotary_dim, rotary_dim, args.style, lane);
  __syncwarp();
  const KvHeadLayout layout = shared_head_layout(cache.block_size, cache.head_dim, cache.dtype);
  const KvRow row(cache, layout, slot, 0, false);
  auto* const scales = reinterpret_cast<float*>(row.part + layout.scales) + 2 * row.offset;
  const int value_bytes = value_dim * kv_element_bytes(cache.dtype);
  store_head(cache.dtype, row.row, scales, key, value_dim, value_bytes, lane);
  store_head(cache.dtype, row.row + value_bytes, scales + 1, key + value_dim, rotary_dim,
             layout.row_bytes - value_bytes, lane);
}

__global__ void __launch_bounds__(kThreads) hand_on_and_store(const __grid_constant__ LatentCacheArgs args) {
  follow_kernel_before();
  __shared__ float rooms[kWarps][kMaxSharedDim];
  const int units = args.heads + 1;  // behind a token's heads its key
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t item = int64_t{blockIdx.x} * kWarps + warp;
  const int64_t token = item / units;
  if (token >= args.nope.tokens) return;
  const int unit = static_cast<int>(item - token * units);
  if (unit < args.heads) {
    hand_on_query(args, token, unit, rooms[warp], lane);
  } else {
    store_key(args, token, rooms[warp], lane);
  }
}

}  // namespace

void latent_cache(Stream& stream, const LatentCacheArgs& args) {
  const KvLayer& cache = args.cache;
  CARAVEL_CHECK_EQ(cache.kv_heads, 1);
  CARAVEL_CHECK_LE(cache.head_dim, kMaxSharedDim);
  const int rotary_dim = cache.head_dim - cache.value_dim;
  CARAVEL_CHECK(cache.value_dim > 0 && rotary_dim > 0 && rotary_dim % 2 == 0);
  CARAVEL_CHECK(products(args.q) != nullptr && products(args.latent) != nullptr && products(args.rotated) != nullptr);
  CARAVEL_CHECK_EQ(args.q.width, int64_t{args.heads} * (args.nope_dim + rotary_dim));
  CARAVEL_CHECK_EQ(args.latent.width, cache.head_dim);
  CARAVEL_CHECK_EQ(args.rotated.width, int64_t{args.heads} * cache.head_dim);
  CARAVEL_CHECK_EQ(args.nope.width, int64_t{args.heads} * args.nope_dim);
  CARAVEL_CHECK(args.nope.form == InputForm::kF32 || args.nope.form == InputForm::kBf16);
  launch_early(stream, hand_on_and_store, dim3(blocks_for(args.nope.tokens * (args.heads + 1), kWarps)), dim3(kThreads),
               0, args);
}

}  // namespace caravel::kernels::cuda
