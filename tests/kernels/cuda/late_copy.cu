#include "device/cuda/launch.cuh"
#include "kernels/cuda/early.cuh"
#include "late_copy.h"

namespace caravel::kernels::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocks = 8;  // so that there is room for the next kernel's
constexpr int kSleeps = 30;
constexpr unsigned kSleep = 1000;  // ns

__global__ void copy_late(uint32_t* to, const uint32_t* from, size_t count) {
  follow_kernel_before();
  for (int i = 0; i < kSleeps; ++i) __nanosleep(kSleep);
  for (size_t i = size_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += size_t{kBlocks} * kThreads) {
    to[i] = from[i];
  }
}

}  // namespace

void late_copy(Stream& stream, void* to, const void* from, size_t bytes) {
  launch_early(stream, copy_late, dim3(kBlocks), dim3(kThreads), 0, static_cast<uint32_t*>(to),
               static_cast<const uint32_t*>(from), bytes / sizeof(uint32_t));
}

}  // namespace caravel::kernels::cuda
