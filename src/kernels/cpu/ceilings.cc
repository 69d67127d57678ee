#include "kernels/ceilings.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "base/clock.h"
#include "kernels/cpu/ceilings_args.h"
#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(read_ceiling, ReadCeilingArgs)
CARAVEL_CPU_KERNEL(int8_ceiling, MultiplyCeilingArgs)
CARAVEL_CPU_KERNEL(int8_tile_ceiling, MultiplyCeilingArgs)
CARAVEL_CPU_KERNEL(f32_ceiling, MultiplyCeilingArgs)

namespace cpu {
namespace {

constexpr int kRepeats = 8;
constexpr int64_t kReadBytes = int64_t{256} << 20;
constexpr int kOperandBytes = 4096;

template <typename Args>
double best_seconds(CpuStream& stream, CpuStream::Kernel<Args> kernel, const Args& args) {
  double best = 1e30;
  for (int i = 0; i < kRepeats; ++i) {
    const Clock::time_point start = Clock::now();
    stream.enqueue(kernel, args);
    stream.synchronize();
    best = std::min(best, seconds_since(start));
  }
  return best;
}

struct FillArgs {
  std::byte* data;
  int64_t bytes;
};

/// With what is 60 as i8 and 0.0115 as f32.
void fill(const FillArgs& args, int rank, int size) {
  const Range share = share_of(args.bytes, rank, size);
  std::fill(args.data + share.begin, args.data + share.end, std::byte{0x3c});
}

}  // namespace

Ceilings measure_ceilings(Device& any) {
  CpuDevice& device = as_cpu(any);
  CpuStream stream(device);
  const auto ranks = static_cast<size_t>(device.pool().size());
  std::vector<float> sink(16 * ranks);
  Ceilings ceilings;
  {
    const Buffer memory = device.allocate(kReadBytes);
    stream.enqueue(fill, FillArgs{memory.address(), kReadBytes});
    const ReadCeilingArgs args{memory.address<float>(), kReadBytes / 4, sink.data()};
    ceilings.read_gb_per_second = kReadBytes / 1e9 / best_seconds(stream, cpu_kernel_read_ceiling(device.isa()), args);
  }
  const Buffer operands = device.allocate(kOperandBytes);
  stream.enqueue(fill, FillArgs{operands.address(), kOperandBytes});
  std::vector<int64_t> macs(ranks);
  const auto rate = [&](CpuStream::Kernel<MultiplyCeilingArgs> kernel, int64_t rounds) {
    const MultiplyCeilingArgs args{operands.address<uint8_t>(), rounds, sink.data(), macs.data()};
    const double seconds = best_seconds(stream, kernel, args);
    return static_cast<double>(std::accumulate(macs.begin(), macs.end(), int64_t{0})) / 1e9 / seconds;
  };
  ceilings.int8_gmac_per_second = rate(cpu_kernel_int8_ceiling(device.isa()), 100'000);
  ceilings.int8_tile_gmac_per_second = rate(cpu_kernel_int8_tile_ceiling(device.isa()), 200'000);
  ceilings.f32_gmac_per_second = rate(cpu_kernel_f32_ceiling(device.isa()), 500'000);
  return ceilings;
}

}  // namespace cpu
}  // namespace caravel::kernels
