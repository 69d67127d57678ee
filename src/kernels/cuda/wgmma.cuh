#pragma once

#include <cstdint>

#include "kernels/cuda/wgmma_operands.cuh"

// Where a kernel is compiled for a GPU that has them; elsewhere kernels of warpgroups are empty, and nobody launches
// them (CudaDevice::has_warpgroups()).
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define CARAVEL_WARPGROUPS
#endif

namespace caravel::kernels::cuda {

/// sum [64, kTokens] += a [64, 16] * b [kTokens, 16] of bf16, by a warpgroup; a and b are described by
/// matrix_descriptor(). Lane l of warp w has in sum[4j + e] row 16w + l/4 (+ 8 for e of 2 and 3) and column 8j + 2(l%4)
/// + e%2.
template <int kTokens>
__device__ void add_product(float (&sum)[kTokens / 2], uint64_t a, uint64_t b);

template <>
__device__ inline void add_product<8>(float (&d)[4], uint64_t a, uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {" CARAVEL_WGMMA_NAMES_4 "}, %4, %5, 1, 1, 1, 0, 0;"
               : CARAVEL_WGMMA_SUMS_4(d, 0)
               : "l"(a), "l"(b));
}

template <>
__device__ inline void add_product<16>(float (&d)[8], uint64_t a, uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {" CARAVEL_WGMMA_NAMES_8
               "}, %8, %9, 1, 1, 1, 0, 0;"
               : CARAVEL_WGMMA_SUMS_8(d, 0)
               : "l"(a), "l"(b));
}

template <>
__device__ inline void add_product<32>(float (&d)[16], uint64_t a, uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 {" CARAVEL_WGMMA_NAMES_16
               "}, %16, %17, 1, 1, 1, 0, 0;"
               : CARAVEL_WGMMA_SUMS_16(d, 0)
               : "l"(a), "l"(b));
}

template <>
__device__ inline void add_product<64>(float (&d)[32], uint64_t a, uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" CARAVEL_WGMMA_NAMES_32
               "}, %32, %33, 1, 1, 1, 0, 0;"
               : CARAVEL_WGMMA_SUMS_32(d, 0)
               : "l"(a), "l"(b));
}

template <>
__device__ inline void add_product<96>(float (&d)[48], uint64_t a, uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n96k16.f32.bf16.bf16 {" CARAVEL_WGMMA_NAMES_48
               "}, %48, %49, 1, 1, 1, 0, 0;"
               : CARAVEL_WGMMA_SUMS_48(d, 0)
               : "l"(a), "l"(b));
}

template <>
__device__ inline void add_product<128>(float (&d)[64], uint64_t a, uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" CARAVEL_WGMMA_NAMES_64
               "}, %64, %65, 1, 1, 1, 0, 0;"
               : CARAVEL_WGMMA_SUMS_64(d, 0)
               : "l"(a), "l"(b));
}

template <>
__device__ inline void add_product<192>(float (&d)[96], uint64_t a, uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n192k16.f32.bf16.bf16 {" CARAVEL_WGMMA_NAMES_96
               "}, %96, %97, 1, 1, 1, 0, 0;"
               : CARAVEL_WGMMA_SUMS_96(d, 0)
               : "l"(a), "l"(b));
}

template <>
__device__ inline void add_product<256>(float (&d)[128], uint64_t a, uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {" CARAVEL_WGMMA_NAMES_128
               "}, %128, %129, 1, 1, 1, 0, 0;"
               : CARAVEL_WGMMA_SUMS_128(d, 0)
               : "l"(a), "l"(b));
}

/// The same with a [64, 16] in registers: lane l of warp w has of row 16w + l/4 (in `a`[0] and [2]) and of that row + 8
/// ([1] and [3]) the pairs of columns from 2(l%4) and, in [2] and [3], from 2(l%4) + 8 on.
template <int kTokens>
__device__ void add_product(float (&sum)[kTokens / 2], const uint32_t (&a)[4], uint64_t b);

template <>
__device__ inline void add_product<8>(float (&d)[4], const uint32_t (&a)[4], uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {" CARAVEL_WGMMA_NAMES_4
               "}, {%4, %5, %6, %7}, %8, 1, 1, 1, 0;"
               : CARAVEL_WGMMA_SUMS_4(d, 0)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

template <>
__device__ inline void add_product<16>(float (&d)[8], const uint32_t (&a)[4], uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {" CARAVEL_WGMMA_NAMES_8
               "}, {%8, %9, %10, %11}, %12, 1, 1, 1, 0;"
               : CARAVEL_WGMMA_SUMS_8(d, 0)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

template <>
__device__ inline void add_product<32>(float (&d)[16], const uint32_t (&a)[4], uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 {" CARAVEL_WGMMA_NAMES_16
               "}, {%16, %17, %18, %19}, %20, 1, 1, 1, 0;"
               : CARAVEL_WGMMA_SUMS_16(d, 0)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

template <>
__device__ inline void add_product<64>(float (&d)[32], const uint32_t (&a)[4], uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" CARAVEL_WGMMA_NAMES_32
               "}, {%32, %33, %34, %35}, %36, 1, 1, 1, 0;"
               : CARAVEL_WGMMA_SUMS_32(d, 0)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

template <>
__device__ inline void add_product<128>(float (&d)[64], const uint32_t (&a)[4], uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" CARAVEL_WGMMA_NAMES_64
               "}, {%64, %65, %66, %67}, %68, 1, 1, 1, 0;"
               : CARAVEL_WGMMA_SUMS_64(d, 0)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

}  // namespace caravel::kernels::cuda
