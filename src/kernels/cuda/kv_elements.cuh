#pragma once

#include <cuda_fp8.h>

#include <cstdint>

#include "kernels/cuda/common.cuh"

namespace caravel::kernels::cuda {

// How keys and values of 16 and 8 bits are multiplied on tensor cores: as Product, which has all of their numbers.
// kScaled: an f32 scale of each row multiplies scores, and the weights of values.

struct F16Elements {
  using Product = Half;
  static constexpr int kBytes = 2;
  static constexpr bool kScaled = false;
};

struct Bf16Elements {
  using Product = BFloat16;
  static constexpr int kBytes = 2;
  static constexpr bool kScaled = false;
};

/// E4M3.
struct Fp8Elements {
  using Product = Half;
  static constexpr int kBytes = 1;
  static constexpr bool kScaled = false;

  /// The first and the last two of four elements.
  __device__ __forceinline__ static void widen(uint32_t four, uint32_t& low, uint32_t& high) {
    const __half2_raw pairs[] = {__nv_cvt_fp8x2_to_halfraw2(static_cast<__nv_fp8x2_storage_t>(four), __NV_E4M3),
                                 __nv_cvt_fp8x2_to_halfraw2(static_cast<__nv_fp8x2_storage_t>(four >> 16), __NV_E4M3)};
    low = uint32_t{pairs[0].y} << 16 | pairs[0].x;
    high = uint32_t{pairs[1].y} << 16 | pairs[1].x;
  }
};

struct Int8Elements {
  using Product = BFloat16;
  static constexpr int kBytes = 1;
  static constexpr bool kScaled = true;

  __device__ __forceinline__ static void widen(uint32_t four, uint32_t& low, uint32_t& high) {
    const uint32_t levels = four ^ 0x80808080U;  // x + 128
    low = widen_levels(__byte_perm(levels, 0x43, 0x4140));
    high = widen_levels(__byte_perm(levels, 0x43, 0x4342));
  }

 private:
  /// 0x43 over a level's low seven bits is 128 more than they are; its highest bit says what is to be taken off.
  __device__ __forceinline__ static uint32_t widen_levels(uint32_t pair) {
    const uint32_t more = pair & 0xff7fff7fU;
    const uint32_t off = (pair & 0x00800080U) ^ 0x43804380U;  // 128 or 256
    const __nv_bfloat162 result =
        __hsub2(*reinterpret_cast<const __nv_bfloat162*>(&more), *reinterpret_cast<const __nv_bfloat162*>(&off));
    return *reinterpret_cast<const uint32_t*>(&result);
  }
};

}  // namespace caravel::kernels::cuda
