#include <algorithm>

#include "device/cuda/cuda_device.h"
#include "device/cuda/launch.cuh"
#include "kernels/ceilings.h"

namespace caravel::kernels::cuda {
namespace {

constexpr int kRepeats = 8;
constexpr int kThreads = 512;
constexpr size_t kReadBytes = size_t{2} << 30;  // far beyond the L2 cache
constexpr int kChains = 16;                     // of multiply-adds that a thread has in flight
constexpr int kRounds = 4096;

/// Sixteen bytes a thread, four of them in flight; the sum is written so that the reads are not left out.
__global__ void __launch_bounds__(kThreads) read_all(const uint4* data, size_t count, uint32_t* sink) {
  uint32_t sum = 0;
  const size_t step = size_t{gridDim.x} * kThreads;
  size_t i = size_t{blockIdx.x} * kThreads + threadIdx.x;
  for (; i + 3 * step < count; i += 4 * step) {
    uint4 four[4];
#pragma unroll
    for (int k = 0; k < 4; ++k) four[k] = __ldcs(data + i + k * step);
#pragma unroll
    for (int k = 0; k < 4; ++k) sum ^= four[k].x ^ four[k].y ^ four[k].z ^ four[k].w;
  }
  for (; i < count; i += step) sum ^= data[i].x;
  if (sum == 0x12345678U) *sink = sum;
}

__global__ void __launch_bounds__(kThreads) multiply_f32(float x, float y, float* sink) {
  float sums[kChains];
#pragma unroll
  for (int k = 0; k < kChains; ++k) sums[k] = static_cast<float>(threadIdx.x + k);
  for (int i = 0; i < kRounds; ++i) {
#pragma unroll
    for (int k = 0; k < kChains; ++k) sums[k] = fmaf(sums[k], x, y);
  }
  float sum = 0;
#pragma unroll
  for (int k = 0; k < kChains; ++k) sum += sums[k];
  if (sum == 1.25e-30F) *sink = sum;
}

/// Of a few runs behind one that is not counted.
template <typename Run>
double best_seconds(CudaStream& stream, const Run& run) {
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

}  // namespace

/// f32 by plain instructions; nothing of 8 bits, which no kernel here computes in.
Ceilings measure_ceilings(Device& any) {
  CudaDevice& device = as_cuda(any);
  CudaStream stream(device);
  const Buffer sink = device.allocate(sizeof(float));
  const dim3 grid(static_cast<unsigned>(4 * device.num_sms()));
  Ceilings ceilings;
  {
    const Buffer memory = device.allocate(kReadBytes);
    ceilings.read_gb_per_second = kReadBytes / 1e9 / best_seconds(stream, [&] {
                                    launch(stream, read_all, grid, kThreads, 0, memory.address<uint4>(),
                                           kReadBytes / sizeof(uint4), sink.address<uint32_t>());
                                  });
  }
  const double macs = double{kChains} * kRounds * kThreads * grid.x;
  ceilings.f32_gmac_per_second =
      macs / 1e9 / best_seconds(stream, [&] {
        launch(stream, multiply_f32, grid, kThreads, 0, 0.999F, 0.001F, sink.address<float>());
      });
  return ceilings;
}

}  // namespace caravel::kernels::cuda
