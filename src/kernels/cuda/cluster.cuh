#pragma once

#include <cstdint>

namespace caravel::kernels::cuda {

// Blocks of one cluster, which run at the same time and reach each other's shared memory (PTX ISA 8.0, sections 7.8 and
// 9.7.12.3). GPUs before sm_90 have none, and nobody launches kernels with them there.

/// All threads of the cluster, in two parts: what they wrote in shared memory before the first is seen by all behind
/// the second.
__device__ inline void arrive_at_cluster() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
#endif
}
__device__ inline void wait_for_cluster() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
#endif
}

/// Where block `rank` of the cluster has what lies at `address` of this block's shared memory.
__device__ inline uint32_t address_of_block(uint32_t address, int rank) {
  uint32_t result = 0;
#if __CUDA_ARCH__ >= 900
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(result) : "r"(address), "r"(rank));
#endif
  return result;
}

/// Eight bytes to a block's shared memory, upon which its transaction barrier counts them. Both addresses are of
/// address_of_block().
__device__ inline void send_pair(uint32_t to, float2 pair, uint32_t barrier) {
#if __CUDA_ARCH__ >= 900
  asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.f32 [%0], {%1, %2}, [%3];" ::"r"(to),
               "f"(pair.x), "f"(pair.y), "r"(barrier)
               : "memory");
#endif
}

}  // namespace caravel::kernels::cuda
