#include "kernels/ceilings.h"
#include "kernels/cuda/common.cuh"
#include "kernels/cuda/device_time.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/tile_layout.h"
#include "kernels/cuda/warp_mma.cuh"

namespace caravel::kernels::cuda {
namespace {

constexpr int kThreads = 512;
constexpr size_t kReadBytes = size_t{2} << 30;  // far beyond the L2 cache
constexpr int kChains = 16;                     // of multiply-adds that a thread has in flight
constexpr int kRounds = 4096;
constexpr int kProductThreads = 256;
constexpr int kWarpProducts = 128;  // of a round: a warp's quarter of [64, 256] by 64
constexpr int kOperandBytes = (2 * 8 + 32) * kImageBytes;

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

/// Tensor cores as GEMMs use them: two warpgroups on operands in shared memory where there are any, else warps on
/// operands in registers. Either way a warp makes kWarpProducts of [16, 8] by 16 in a round.
__global__ void __launch_bounds__(kProductThreads, 1) multiply_bf16(int rounds, float* sink) {
  float total = 0;
#ifdef CARAVEL_WARPGROUPS
  extern __shared__ __align__(1024) uint8_t operands[];  // 64 rows of 64 inputs for each warpgroup, then 256
  // Numbers around one of either sign: zeros would take less power, and run faster than anything real.
  for (int i = static_cast<int>(threadIdx.x); i < kOperandBytes / 4; i += kProductThreads) {
    const uint32_t random = static_cast<uint32_t>(i) * 2654435761U;
    reinterpret_cast<uint32_t*>(operands)[i] = (random & 0x80ff80ffU) | 0x3f003f00U;
  }
  fence_shared_for_async();
  __syncthreads();
  const int warpgroup = __shfl_sync(kAllLanes, static_cast<int>(threadIdx.x / 128), 0);
  const uint32_t base = shared_address(operands);
  const MatrixDescriptor rows = matrix_descriptor(base + warpgroup * 8 * kImageBytes, kImageBytes);
  const MatrixDescriptor columns = matrix_descriptor(base + 16 * kImageBytes, kImageBytes);
  float sums[128];
#pragma unroll
  for (float& sum : sums) sum = 0.0F;
#pragma unroll 1
  for (int i = 0; i < rounds; ++i) {
    fence_products();
#pragma unroll
    for (int k = 0; k < 4; ++k) add_product<256>(sums, rows.at(32 * k), columns.at(32 * k));
    commit_products();
    wait_products<1>();
  }
  wait_products<0>();
#pragma unroll
  for (float& sum : sums) asm volatile("" : "+f"(sum)::"memory");
#pragma unroll
  for (int i = 0; i < 128; ++i) total += sums[i];
#else
  const uint32_t random = (threadIdx.x * 2654435761U & 0x80ff80ffU) | 0x3f003f00U;
  const uint32_t rows[4] = {random, random ^ 0x00550055U, random ^ 0x80008000U, random ^ 0x000f000fU};
  float sums[kChains][4] = {};
  for (int i = 0; i < rounds * kWarpProducts / kChains; ++i) {
#pragma unroll
    for (float(&sum)[4] : sums) multiply_add<BFloat16>(sum, rows, rows[1], rows[2]);
  }
#pragma unroll
  for (const float(&sum)[4] : sums) total += sum[0] + sum[1] + sum[2] + sum[3];
#endif
  if (total == 1.25e-30F) *sink = total;
}

}  // namespace

/// bf16 by tensor cores and f32 by plain instructions; nothing of 8 bits, which no kernel here computes in.
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
  const double products = 2048.0 * kWarpProducts * kRounds * (kProductThreads / 32) * device.num_sms();
  ceilings.bf16_gmac_per_second = products / 1e9 / best_seconds(stream, [&] {
                                    launch(stream, multiply_bf16, dim3(static_cast<unsigned>(device.num_sms())),
                                           kProductThreads, kOperandBytes, kRounds, sink.address<float>());
                                  });
  const double macs = double{kChains} * kRounds * kThreads * grid.x;
  ceilings.f32_gmac_per_second =
      macs / 1e9 / best_seconds(stream, [&] {
        launch(stream, multiply_f32, grid, kThreads, 0, 0.999F, 0.001F, sink.address<float>());
      });
  return ceilings;
}

}  // namespace caravel::kernels::cuda
