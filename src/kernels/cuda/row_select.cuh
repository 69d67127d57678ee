#pragma once

#include <cstdint>

#include "kernels/cuda/common.cuh"

// Selecting from a row of logits by one block of kRowThreads. A logit and its index make a key, larger for the
// likelier: by the logit, and among equals for the lower index. No two keys are equal, so what is selected does not
// depend on the order in which threads come by, and nothing is sorted but what is to be in order.

namespace caravel::kernels::cuda {

inline constexpr int kRowThreads = 1024;
inline constexpr int kListRoom = 2048;  // keys that one block sorts in shared memory

/// Unsigned integers that order as floats do; equal for both zeros. NaN is below all.
__device__ __forceinline__ uint32_t ordered_bits(float x) {
  const uint32_t bits = __float_as_uint(x + 0.0F);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return 0;
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

/// Never 0, which stands for no key.
__device__ __forceinline__ uint64_t key_of(float logit, int32_t index) {
  return uint64_t{ordered_bits(logit)} << 32 | ~static_cast<uint32_t>(index);
}
__device__ __forceinline__ int32_t index_of(uint64_t key) { return static_cast<int32_t>(~static_cast<uint32_t>(key)); }

/// Sorts keys [count], largest first; `count` is a power of two. All threads of the block call it.
__device__ inline void sort_keys(uint64_t* keys, int count) {
  for (int size = 2; size <= count; size *= 2) {
    for (int apart = size / 2; apart > 0; apart /= 2) {
      __syncthreads();
      for (int i = static_cast<int>(threadIdx.x); i < count / 2; i += static_cast<int>(blockDim.x)) {
        const int low = 2 * i - (i & (apart - 1));
        const uint64_t a = keys[low];
        const uint64_t b = keys[low + apart];
        if ((a < b) == ((low & size) == 0)) {
          keys[low] = b;
          keys[low + apart] = a;
        }
      }
    }
  }
  __syncthreads();
}

/// The likeliest keys of a row, sorted: shared memory.
struct KeyList {
  uint64_t keys[kListRoom];
  int count;
};

/// Lists all keys down to some of them, of which there are at least `wanted` (or all there are), largest first. False
/// where that are more than a list holds. for_each(function): calls function(key) for the thread's share of the row,
/// any number of times; `width` is a bound of all shares together. All threads of the block call it.
///
/// Each thread's largest key is one of the row: the wanted-th of these bounds the wanted-th of all from below.
template <typename ForEach>
__device__ bool list_keys(KeyList& list, int64_t width, int wanted, ForEach for_each) {
  uint64_t least = 1;
  if (width > kListRoom) {
    if (wanted > kRowThreads) return false;
    uint64_t own = 0;
    for_each([&](uint64_t key) { own = key > own ? key : own; });
    __syncthreads();
    list.keys[threadIdx.x] = own;
    sort_keys(list.keys, kRowThreads);
    least = list.keys[wanted - 1];
    least = least > 0 ? least : 1;
  }
  __syncthreads();
  if (threadIdx.x == 0) list.count = 0;
  __syncthreads();
  for_each([&](uint64_t key) {
    if (key < least) return;
    const int place = atomicAdd(&list.count, 1);
    if (place < kListRoom) list.keys[place] = key;
  });
  __syncthreads();
  const int count = list.count;
  if (count > kListRoom) return false;
  int room = 2;
  while (room < count) room *= 2;
  for (int i = count + static_cast<int>(threadIdx.x); i < room; i += kRowThreads) list.keys[i] = 0;
  sort_keys(list.keys, room);
  return true;
}

/// The largest key K such that the measures of all keys from K on reach `target`; 0 where all together do not. For
/// rows that no list holds: some thirty passes. for_each(function): calls function(key, measure) for the thread's
/// share, with the same keys in every pass. All threads of the block call it.
template <typename ForEach>
__device__ uint64_t boundary_key(uint64_t target, ForEach for_each) {
  constexpr int kDigit = 2;  // bits that a pass decides: more take more registers than there are
  constexpr int kDigits = (1 << kDigit) - 1;
  uint64_t boundary = 0;
  for (int shift = 64 - kDigit; shift >= 0; shift -= kDigit) {
    uint64_t reached[kDigits] = {};  // [j]: what keys from boundary + (j + 1 << shift) on measure
    for_each([&](uint64_t key, uint64_t measure) {
      if (key < boundary) return;
      const uint64_t steps = (key - boundary) >> shift;
#pragma unroll
      for (int j = 0; j < kDigits; ++j) reached[j] += steps > j ? measure : 0;
    });
    int digit = 0;
#pragma unroll
    for (int j = 0; j < kDigits; ++j) {
      if (reduce_block(reached[j], uint64_t{0}, Sum()) >= target) digit = j + 1;
    }
    boundary += static_cast<uint64_t>(digit) << shift;
  }
  return boundary;
}

}  // namespace caravel::kernels::cuda
