#pragma once

#include <cuda.h>

#include <cstdint>

#include "kernels/cuda/early.cuh"
#include "kernels/cuda/wgmma.cuh"

/// Hopper's instructions for kernels that stream tiles through shared memory: transaction barriers, bulk copies and the
/// warpgroup's matrix multiply (PTX ISA 8.0, sections 9.7.8, 9.7.13 and 9.7.15). Addresses of shared memory are 32
/// bits.
namespace caravel::kernels::cuda {

__device__ inline uint32_t shared_address(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// Barriers

__device__ inline void init_barrier(uint32_t barrier, uint32_t arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

/// Makes initialised barriers visible to the copy engine; other threads see them behind a barrier of threads.
__device__ inline void fence_barrier_init() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }

__device__ inline void arrive(uint32_t barrier) {
  asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

/// The same at a barrier of any block of the cluster, by address_of_block(); without a scope, since a release to the
/// cluster waits for memory.
__device__ inline void arrive_in_cluster(uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cluster.b64 _, [%0];" ::"r"(barrier) : "memory");
}

/// Arrives, and lets the phase wait for so many bytes of copies more.
__device__ inline void arrive_expecting(uint32_t barrier, uint32_t bytes) {
  asm volatile("mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
               : "memory");
}

__device__ inline uint64_t nanoseconds() {
  uint64_t time;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(time));
  return time;
}

/// Whether the phase of this parity is complete.
__device__ inline bool phase_is_over(uint32_t barrier, uint32_t parity) {
  uint32_t done;
  asm volatile(
      "{\n"
      ".reg .pred complete;\n"
      "mbarrier.test_wait.parity.acquire.cta.shared::cta.b64 complete, [%1], %2;\n"
      "selp.u32 %0, 1, 0, complete;\n"
      "}"
      : "=r"(done)
      : "r"(barrier), "r"(parity)
      : "memory");
  return done != 0;
}

/// Returns once the phase of this parity is complete. What takes longer than twenty seconds is a fault of the program:
/// the kernel ends with an error rather than hang.
__device__ inline void wait_barrier(uint32_t barrier, uint32_t parity) {
  constexpr uint64_t kLimit = 20'000'000'000ULL;
  uint64_t begin = 0;
  for (uint32_t spins = 1;; ++spins) {
    uint32_t done;
    asm volatile(
        "{\n"
        ".reg .pred complete;\n"
        "mbarrier.try_wait.parity.acquire.cta.shared::cta.b64 complete, [%1], %2;\n"
        "selp.u32 %0, 1, 0, complete;\n"
        "}"
        : "=r"(done)
        : "r"(barrier), "r"(parity)
        : "memory");
    if (done != 0) return;
    if (spins % 1024 != 0) continue;
    const uint64_t now = nanoseconds();
    if (begin == 0) begin = now;
    // A store to where nothing is, and not a trap: beside one of these ptxas leaves setmaxnreg's registers unused.
    if (now - begin > kLimit) asm volatile("st.global.u32 [%0], 0;" ::"l"(uint64_t{8}) : "memory");
  }
}

/// For the threads of some warps: a barrier of its own number, 1 to 15.
__device__ inline void sync_threads(int barrier, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

/// The same with a number that the code has.
template <int kBarrier>
__device__ inline void sync_threads(int threads) {
  asm volatile("bar.sync %0, %1;" ::"n"(kBarrier), "r"(threads) : "memory");
}

/// The same of threads that do not wait for the others.
__device__ inline void arrive_at_threads(int barrier, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

/// Orders a thread's ordinary accesses of shared memory before what the copy engine and the tensor cores do with it
/// after a barrier at which the thread arrives: both for what it wrote, and before a slot that it read is filled anew.
__device__ inline void fence_shared_for_async() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
/// The same for all memory.
__device__ inline void fence_for_async() { asm volatile("fence.proxy.async;" ::: "memory"); }

/// A warpgroup's registers a thread, of a kernel whose warpgroups give up some of theirs and take what others gave.
template <int kCount>
__device__ inline void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kCount));
}
template <int kCount>
__device__ inline void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kCount));
}

// Copies into shared memory

/// What is read once need not push anything out of the L2 cache.
__device__ inline uint64_t read_once_policy() {
  uint64_t policy;
  asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
  return policy;
}
__device__ inline uint64_t read_again_policy() {
  uint64_t policy;
  asm volatile("createpolicy.fractional.L2::evict_normal.b64 %0, 1.0;" : "=l"(policy));
  return policy;
}

/// The box of a matrix that begins at element `x` of row `y`; what lies outside the matrix becomes zeros.
__device__ inline void copy_box(uint32_t to, const CUtensorMap& matrix, int x, int y, uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::
          "r"(to),
      "l"(&matrix), "r"(x), "r"(y), "r"(barrier)
      : "memory");
}

/// The same to this place of both blocks of a cluster of two, and for the barrier of each.
__device__ inline void copy_box_to_both(uint32_t to, const CUtensorMap& matrix, int x, int y, uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, "
      "{%2, %3}], [%4], %5;" ::"r"(to),
      "l"(&matrix), "r"(x), "r"(y), "r"(barrier), "h"(uint16_t{3})
      : "memory");
}

/// A box of a stack of matrices, beginning in matrix `z`.
__device__ inline void copy_box(uint32_t to, const CUtensorMap& stack, int x, int y, int z, uint32_t barrier,
                                uint64_t policy) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1, {%2, "
      "%3, %4}], [%5], %6;" ::"r"(to),
      "l"(&stack), "r"(x), "r"(y), "r"(z), "r"(barrier), "l"(policy)
      : "memory");
}

/// The same of stacks, of which `w` is the first.
__device__ inline void copy_box(uint32_t to, const CUtensorMap& stacks, int x, int y, int z, int w, uint32_t barrier,
                                uint64_t policy) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1, {%2, "
      "%3, %4, %5}], [%6], %7;" ::"r"(to),
      "l"(&stacks), "r"(x), "r"(y), "r"(z), "r"(w), "r"(barrier), "l"(policy)
      : "memory");
}

/// The same of five dimensions.
__device__ inline void copy_box(uint32_t to, const CUtensorMap& stacks, int x, int y, int z, int w, int v,
                                uint32_t barrier, uint64_t policy) {
  asm volatile(
      "cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1, {%2, "
      "%3, %4, %5, %6}], [%7], %8;" ::"r"(to),
      "l"(&stacks), "r"(x), "r"(y), "r"(z), "r"(w), "r"(v), "r"(barrier), "l"(policy)
      : "memory");
}

__device__ inline void prefetch_map(const CUtensorMap& matrix) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(&matrix) : "memory");
}

// Warpgroup multiply: see wgmma.cuh for the products.

/// A K-major operand in shared memory with the swizzle of 128 bytes, whose groups of eight rows lie `group_stride`
/// bytes apart. `address`: of 16 elements of the first row, in an image aligned to 1,024 bytes.
struct MatrixDescriptor {
  uint32_t low;
  uint32_t high;

  /// Of what lies so many bytes on, a multiple of 16.
  __device__ uint64_t at(uint32_t offset) const { return uint64_t{high} << 32 | (low + offset / 16); }
};

__device__ inline MatrixDescriptor matrix_descriptor(uint32_t address, uint32_t group_stride) {
  constexpr uint32_t kSwizzle128 = 1U << 30;
  constexpr uint32_t kUnused = 1U << 16;  // the other stride, which this swizzle does not have
  return {kUnused | (address & 0x3ffffU) >> 4, kSwizzle128 | group_stride >> 4};
}

/// Before the first product, and where registers of the sum were touched since the last.
__device__ inline void fence_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ inline void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
/// Until at most kPending committed groups are not done.
template <int kPending>
__device__ inline void wait_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

}  // namespace caravel::kernels::cuda
