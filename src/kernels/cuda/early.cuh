#pragma once

namespace caravel::kernels::cuda {

// Programmatic dependent launch: a kernel's blocks come in while the one before it still runs, where that lets them and
// processors are free. Nothing where a kernel was launched without it, as all are on GPUs before sm_90.

__device__ inline void let_next_kernel_in() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}
/// What the kernel before wrote is there, and what it read may be written.
__device__ inline void wait_for_kernel_before() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
/// How a kernel begins that launch_early() launches and that has nothing to do before.
__device__ inline void follow_kernel_before() {
  let_next_kernel_in();
  wait_for_kernel_before();
}

}  // namespace caravel::kernels::cuda
