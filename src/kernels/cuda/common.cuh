#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "base/check.h"
#include "device/cuda/launch.cuh"
#include "kernels/cuda/early.cuh"
#include "kernels/gemm_input.h"

namespace caravel::kernels::cuda {

using BFloat16 = __nv_bfloat16;
using Half = __half;

inline constexpr int kWarp = 32;
inline constexpr unsigned kAllLanes = 0xffffffffU;

/// Blocks of `size` that `count` takes; a grid of none is no launch.
inline unsigned blocks_for(int64_t count, int64_t size) { return static_cast<unsigned>((count + size - 1) / size); }

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(Half x) { return __half2float(x); }
__device__ __forceinline__ float to_float(BFloat16 x) { return __bfloat162float(x); }

/// To the nearest, ties to even; a half that is too large becomes infinite.
template <typename T>
__device__ __forceinline__ T from_float(float x);
template <>
__device__ __forceinline__ float from_float<float>(float x) {
  return x;
}
template <>
__device__ __forceinline__ Half from_float<Half>(float x) {
  return __float2half_rn(x);
}
template <>
__device__ __forceinline__ BFloat16 from_float<BFloat16>(float x) {
  return __float2bfloat16_rn(x);
}

/// Two elements as they lie in memory, the first one lowest.
template <typename T>
__device__ __forceinline__ uint32_t pack_pair(float first, float second);
template <>
__device__ __forceinline__ uint32_t pack_pair<Half>(float first, float second) {
  const __half2 pair = __floats2half2_rn(first, second);
  return *reinterpret_cast<const uint32_t*>(&pair);
}
template <>
__device__ __forceinline__ uint32_t pack_pair<BFloat16>(float first, float second) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(first, second);
  return *reinterpret_cast<const uint32_t*>(&pair);
}
template <typename T>
__device__ __forceinline__ float2 unpack_pair(uint32_t pair);
template <>
__device__ __forceinline__ float2 unpack_pair<Half>(uint32_t pair) {
  return __half22float2(*reinterpret_cast<const __half2*>(&pair));
}
template <>
__device__ __forceinline__ float2 unpack_pair<BFloat16>(uint32_t pair) {
  return __bfloat1622float2(*reinterpret_cast<const __nv_bfloat162*>(&pair));
}

struct Sum {
  template <typename T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct Largest {
  template <typename T>
  __device__ T operator()(T a, T b) const {
    return b > a ? b : a;
  }
};

/// All lanes' values combined by a commutative `op`, the same bits in every lane. All lanes call it.
template <typename T, typename Op>
__device__ __forceinline__ T reduce_warp(T x, Op op) {
#pragma unroll
  for (int apart = kWarp / 2; apart > 0; apart /= 2) x = op(x, __shfl_xor_sync(kAllLanes, x, apart));
  return x;
}

/// The same of a block of whole warps, in an order that depends on its size alone. All threads call it; what they wrote
/// before is seen by all afterwards.
template <typename T, typename Op>
__device__ T reduce_block(T x, T identity, Op op) {
  __shared__ T parts[kWarp];
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  x = reduce_warp(x, op);
  __syncthreads();  // the call before may still read its parts
  if (lane == 0) parts[threadIdx.x / kWarp] = x;
  __syncthreads();
  return reduce_warp(lane < static_cast<int>(blockDim.x) / kWarp ? parts[lane] : identity, op);
}

/// function(T*) for the elements that `out` has: of a form that is rows without gaps.
template <typename Function>
void with_output(const GemmInput& out, Function&& function) {
  if (out.form == InputForm::kF32) {
    function(reinterpret_cast<float*>(out.data));
  } else {
    CARAVEL_CHECK(out.form == InputForm::kBf16);
    function(reinterpret_cast<BFloat16*>(out.data));
  }
}

/// `tensor` has rows of BF16, a GPU's product_dtype().
inline BFloat16* products(const Tensor& tensor) {
  CARAVEL_CHECK(tensor.dtype == DType::kBF16);
  CARAVEL_CHECK_GE(tensor.stride, tensor.width);
  return static_cast<BFloat16*>(tensor.data);
}

inline float* floats(const Tensor& tensor) {
  CARAVEL_CHECK(tensor.dtype == DType::kF32);
  CARAVEL_CHECK_GE(tensor.stride, tensor.width);
  return static_cast<float*>(tensor.data);
}

}  // namespace caravel::kernels::cuda
