#pragma once

#include <cuda_fp8.h>

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/common.cuh"
#include "kernels/cuda/kv_head_layout.cuh"
#include "kernels/kv_cache.h"

namespace caravel::kernels::cuda {

// Every rounding is spelled out, so that who rotates in an epilogue and who does it afterwards agree to the bit.

/// A pair's first and second element once rotated; angle: cosine and sine.
__device__ inline float rotated_first(float a, float b, float2 angle) {
  return __fmaf_rn(a, angle.x, -__fmul_rn(b, angle.y));
}
__device__ inline float rotated_second(float a, float b, float2 angle) {
  return __fmaf_rn(b, angle.x, __fmul_rn(a, angle.y));
}

/// Where a token's keys (or values) of a KV head lie; slot: not negative.
struct KvRow {
  std::byte* part;  // the head's, of the token's block
  std::byte* row;
  int offset;  // of the token in its block

  __device__ KvRow(const KvLayer& cache, const KvHeadLayout& layout, int64_t slot, int kv_head, bool value) {
    const auto block = static_cast<uint32_t>(slot) / static_cast<uint32_t>(cache.block_size);  // slots are few enough
    offset = static_cast<int>(static_cast<uint32_t>(slot) - block * static_cast<uint32_t>(cache.block_size));
    part = cache.base + int64_t{block} * cache.block_stride + int64_t{kv_head} * layout.head_bytes;
    row = part + (value ? layout.values : 0) + offset * layout.row_bytes;
  }
};

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

/// The same of elements d to d + 7, d a multiple of eight.
__device__ inline void store_kv_eight(KvDtype dtype, std::byte* row, int d, const float (&x)[8]) {
  const auto packed = [&](auto pack) { return make_uint4(pack(0), pack(2), pack(4), pack(6)); };
  switch (dtype) {
    case KvDtype::kF32:
      reinterpret_cast<float4*>(row)[d / 4] = make_float4(x[0], x[1], x[2], x[3]);
      reinterpret_cast<float4*>(row)[d / 4 + 1] = make_float4(x[4], x[5], x[6], x[7]);
      return;
    case KvDtype::kFp8: {
      const uint4 two = packed(
          [&](int i) { return __nv_cvt_float2_to_fp8x2(make_float2(x[i], x[i + 1]), __NV_SATFINITE, __NV_E4M3); });
      reinterpret_cast<uint2*>(row)[d / 8] = make_uint2(two.x | two.y << 16, two.z | two.w << 16);
      return;
    }
    case KvDtype::kBF16:
      reinterpret_cast<uint4*>(row)[d / 8] = packed([&](int i) { return pack_pair<BFloat16>(x[i], x[i + 1]); });
      return;
    default:
      reinterpret_cast<uint4*>(row)[d / 8] = packed([&](int i) { return pack_pair<Half>(x[i], x[i + 1]); });
  }
}

/// Where an epilogue puts heads of Q, K and V.
struct HeadsOutput {
  const float* cos_sin;  // nullptr: nothing is rotated
  int rotary_dim;
  bool halves;  // RotaryStyle::kHalves
  const int64_t* slots;
  int heads;  // of Q
  KvLayer cache;
  KvHeadLayout layout;
};

inline HeadsOutput heads_output(const RotaryCacheArgs& args) {
  return {.cos_sin = args.rotary_dim > 0 ? args.cos_sin : nullptr,
          .rotary_dim = args.rotary_dim,
          .halves = args.style == RotaryStyle::kHalves,
          .slots = args.slots,
          .heads = args.heads,
          .cache = args.cache,
          .layout = kv_head_layout(args.cache.block_size, args.cache.head_dim, args.cache.dtype)};
}

}  // namespace caravel::kernels::cuda
