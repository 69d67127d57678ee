#pragma once

#include <algorithm>

#include "device/cuda/cuda_device.h"

namespace caravel::kernels::cuda {

/// Seconds of what `run` enqueues, by the device's clock: the least of a few runs behind one that is not counted.
template <typename Run>
double best_seconds(CudaStream& stream, const Run& run) {
  constexpr int kRepeats = 8;
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  check_cuda(cudaEventCreate(&begin), "creating an event");
  check_cuda(cudaEventCreate(&end), "creating an event");
  double best = 1e30;
  for (int i = 0; i <= kRepeats; ++i) {
    check_cuda(cudaEventRecord(begin, stream.handle()), "recording an event");
    run();
    check_cuda(cudaEventRecord(end, stream.handle()), "recording an event");
    check_cuda(cudaEventSynchronize(end), "waiting for the device");
    float milliseconds = 0;
    check_cuda(cudaEventElapsedTime(&milliseconds, begin, end), "timing a kernel");
    if (i > 0) best = std::min(best, milliseconds / 1e3);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  return best;
}

}  // namespace caravel::kernels::cuda
