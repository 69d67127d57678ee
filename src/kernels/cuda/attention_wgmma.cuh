#pragma once

#include <cstdint>

#include "kernels/cuda/common.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/wgmma_operands.cuh"

namespace caravel::kernels::cuda {

// Attention's products by a warpgroup (PTX ISA 8.0, section 9.7.15), of T, Half or BFloat16. Lane l of warp w has in
// sum[4j + e] row 16w + l/4 (+ 8 for e of 2 and 3) and column 8j + 2(l%4) + e%2. What `sum` held is left out where
// `add` is false.

/// sum [64, 128] = queries [64, 16] * keys [128, 16], both described by matrix_descriptor().
template <typename T>
__device__ void multiply_keys(float (&sum)[64], uint64_t queries, uint64_t keys, bool add);

/// sum [64, 64] = queries [64, 16] * keys [64, 16].
template <typename T>
__device__ void multiply_half_keys(float (&sum)[32], uint64_t queries, uint64_t keys, bool add);

/// sum [64, 64] = weights [64, 16] * values [16, 64]. A lane's weights are those of columns 2(l%4) and the one after
/// it, of rows l/4 and l/4 + 8, and then the same of the columns that are 8 further. Values are described by
/// matrix_descriptor(), as keys are.
template <typename T>
__device__ void multiply_values(float (&sum)[32], const uint32_t (&weights)[4], uint64_t values, bool add);

template <>
__device__ inline void multiply_keys<BFloat16>(float (&d)[64], uint64_t queries, uint64_t keys, bool add) {
  asm volatile(
      "{ .reg .pred p; setp.ne.b32 p, %66, 0; wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
      "{" CARAVEL_WGMMA_NAMES_64 "}, %64, %65, p, 1, 1, 0, 0; }"
      : CARAVEL_WGMMA_SUMS_64(d, 0)
      : "l"(queries), "l"(keys), "r"(static_cast<int>(add)));
}

template <>
__device__ inline void multiply_half_keys<BFloat16>(float (&d)[32], uint64_t queries, uint64_t keys, bool add) {
  asm volatile(
      "{ .reg .pred p; setp.ne.b32 p, %34, 0; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
      "{" CARAVEL_WGMMA_NAMES_32 "}, %32, %33, p, 1, 1, 0, 0; }"
      : CARAVEL_WGMMA_SUMS_32(d, 0)
      : "l"(queries), "l"(keys), "r"(static_cast<int>(add)));
}

template <>
__device__ inline void multiply_values<BFloat16>(float (&d)[32], const uint32_t (&weights)[4], uint64_t values,
                                                 bool add) {
  asm volatile(
      "{ .reg .pred p; setp.ne.b32 p, %37, 0; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
      "{" CARAVEL_WGMMA_NAMES_32 "}, {%32, %33, %34, %35}, %36, p, 1, 1, 1; }"
      : CARAVEL_WGMMA_SUMS_32(d, 0)
      : "r"(weights[0]), "r"(weights[1]), "r"(weights[2]), "r"(weights[3]), "l"(values), "r"(static_cast<int>(add)));
}

template <>
__device__ inline void multiply_keys<Half>(float (&d)[64], uint64_t queries, uint64_t keys, bool add) {
  asm volatile(
      "{ .reg .pred p; setp.ne.b32 p, %66, 0; wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 "
      "{" CARAVEL_WGMMA_NAMES_64 "}, %64, %65, p, 1, 1, 0, 0; }"
      : CARAVEL_WGMMA_SUMS_64(d, 0)
      : "l"(queries), "l"(keys), "r"(static_cast<int>(add)));
}

template <>
__device__ inline void multiply_half_keys<Half>(float (&d)[32], uint64_t queries, uint64_t keys, bool add) {
  asm volatile(
      "{ .reg .pred p; setp.ne.b32 p, %34, 0; wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 "
      "{" CARAVEL_WGMMA_NAMES_32 "}, %32, %33, p, 1, 1, 0, 0; }"
      : CARAVEL_WGMMA_SUMS_32(d, 0)
      : "l"(queries), "l"(keys), "r"(static_cast<int>(add)));
}

template <>
__device__ inline void multiply_values<Half>(float (&d)[32], const uint32_t (&weights)[4], uint64_t values, bool add) {
  asm volatile(
      "{ .reg .pred p; setp.ne.b32 p, %37, 0; wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 "
      "{" CARAVEL_WGMMA_NAMES_32 "}, {%32, %33, %34, %35}, %36, p, 1, 1, 1; }"
      : CARAVEL_WGMMA_SUMS_32(d, 0)
      : "r"(weights[0]), "r"(weights[1]), "r"(weights[2]), "r"(weights[3]), "l"(values), "r"(static_cast<int>(add)));
}

}  // namespace caravel::kernels::cuda
