#pragma once

#include <cstdint>

namespace caravel::kernels::cuda {

// Blocks of one cluster, which run at the same time and reach each other's shared memory (PTX ISA 8.0, sections 7.8 and
// 9.7.12.3). GPUs before sm_90 have none, and nobody launches kernels with them there.

/// All threads of the cluster; what they wrote in shared memory before is seen by all afterwards.
__device__ inline void sync_cluster() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.release.aligned;\n\tbarrier.cluster.wait.acquire.aligned;" ::: "memory");
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

__device__ inline float2 load_pair_of_cluster(uint32_t address) {
  float2 pair = {};
#if __CUDA_ARCH__ >= 900
  asm volatile("ld.shared::cluster.v2.f32 {%0, %1}, [%2];" : "=f"(pair.x), "=f"(pair.y) : "r"(address) : "memory");
#endif
  return pair;
}

}  // namespace caravel::kernels::cuda
