#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/cuda/attention_params.cuh"

namespace caravel::kernels::cuda {

/// Two elements of queries as T. A query that is too large for a half becomes the largest: infinite ones have no
/// scores.
template <typename T>
__device__ __forceinline__ uint32_t as_queries(uint32_t pair) {
  if constexpr (std::is_same_v<T, Half>) {
    constexpr float kMost = 65504.0F;
    const float2 both = unpack_pair<BFloat16>(pair);
    const float first = both.x > kMost ? kMost : both.x < -kMost ? -kMost : both.x;
    const float second = both.y > kMost ? kMost : both.y < -kMost ? -kMost : both.y;
    return pack_pair<T>(first, second);
  } else {
    return pair;
  }
}

/// Two elements of a row; zeros where they are not there.
template <typename T>
__device__ __forceinline__ uint32_t query_pair(const BFloat16* pair, bool there) {
  return as_queries<T>(there ? *reinterpret_cast<const uint32_t*>(pair) : 0U);
}

}  // namespace caravel::kernels::cuda
