#pragma once

#include <cstdint>

#include "kernels/cuda/mma.cuh"

namespace caravel::kernels::cuda {

/// A value that is the same in all lanes, in a register of its own: the compiler would work it out anew wherever it is
/// used, which in a loop of a few hundred cycles is what takes longest.
__device__ inline uint32_t uniform(uint32_t value) { return __shfl_sync(~0U, value, 0); }

/// A place in a ring, and how often it has gone round.
struct RingPlace {
  int slot = 0;
  uint32_t round = 0;

  __device__ void advance(int slots) {
    if (++slot < slots) return;
    slot = 0;
    round ^= 1;
  }
};

struct Ring {
  uint32_t slots;     // addresses in shared memory
  uint32_t barriers;  // of each slot: filled, and then for all of them emptied
  int slot_bytes;
  int count;

  __device__ uint32_t slot(const RingPlace& place) const { return slots + place.slot * slot_bytes; }
  __device__ uint32_t filled(const RingPlace& place) const { return barriers + 8 * place.slot; }
  __device__ uint32_t emptied(const RingPlace& place) const { return barriers + 8 * (count + place.slot); }
  __device__ void wait_filled(const RingPlace& place) const { wait_barrier(filled(place), place.round); }
  __device__ bool is_filled(const RingPlace& place) const { return phase_is_over(filled(place), place.round); }
  __device__ void wait_emptied(const RingPlace& place) const { wait_barrier(emptied(place), place.round ^ 1U); }
  /// By a thread: every `step`-th barrier from the first on. Each takes some hundred cycles, so that warps share them.
  __device__ void init(int first, int step, uint32_t filling, uint32_t emptying) const {
    for (int i = first; i < 2 * count; i += step) init_barrier(barriers + 8 * i, i < count ? filling : emptying);
  }
};

}  // namespace caravel::kernels::cuda
