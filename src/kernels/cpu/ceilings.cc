#include "kernels/ceilings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <random>
#include <string>
#include <utility>
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
constexpr int64_t kLineBytes = 64;

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

/// Of the data or unified cache of that level, 1 to 3, that the first processor has; 0 where nothing says. sysconf() is
/// asked where /sys is not there: it counts some processors' third level several times.
int64_t cache_bytes(int level) {
  for (int index = 0; index < 8; ++index) {
    const std::string folder = fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}/", index);
    int found = 0;
    std::string type;
    int64_t kilobytes = 0;
    std::ifstream(folder + "level") >> found;
    std::ifstream(folder + "type") >> type;
    std::ifstream(folder + "size") >> kilobytes;
    if (found == level && type != "Instruction") return 1024 * kilobytes;
  }
  constexpr int kNames[] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
  return std::max<int64_t>(0, ::sysconf(kNames[level - 1]));
}

struct LevelArgs {
  CpuStream::Kernel<ReadCeilingArgs> read;
  ReadCeilingArgs what;
  int64_t times;
};

/// Every rank reads all of it, again and again: what one cache has, whether it is a rank's own or all ranks'.
void read_again(const LevelArgs& args, int rank, int /*size*/) {
  ReadCeilingArgs what = args.what;
  what.sink += 16 * rank;
  for (int64_t i = 0; i < args.times; ++i) args.read(what, 0, 1);
}

struct ChaseArgs {
  std::byte* data;
  int64_t lines;
  int64_t steps;
  float* sink;
};

/// Leaves in every line where another one lies: a walk through all of them, in an order that no prefetcher knows
/// (Sattolo's: one cycle).
void link_lines(const ChaseArgs& args, int rank, int /*size*/) {
  if (rank != 0) return;
  std::vector<int64_t> order(static_cast<size_t>(args.lines));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::minstd_rand random(1);
  for (size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random() % i]);
  for (size_t i = 0; i < order.size(); ++i) {
    *reinterpret_cast<int64_t*>(args.data + static_cast<int64_t>(i) * kLineBytes) = order[i] * kLineBytes;
  }
}

void chase(const ChaseArgs& args, int rank, int /*size*/) {
  if (rank != 0) return;
  int64_t at = 0;
  for (int64_t i = 0; i < args.steps; ++i) at = *reinterpret_cast<const int64_t*>(args.data + at);
  *args.sink = static_cast<float>(at);
}

/// Of a load from a buffer of that size.
double chase_ns(CpuDevice& device, CpuStream& stream, int64_t bytes, float* sink) {
  constexpr int64_t kSteps = 1 << 20;
  const Buffer buffer = device.allocate(static_cast<size_t>(bytes));
  const ChaseArgs args{buffer.address(), bytes / kLineBytes, kSteps, sink};
  stream.enqueue(link_lines, args);
  return best_seconds(stream, chase, args) / kSteps * 1e9;
}

}  // namespace

std::vector<MemoryLevel> measure_memory(Device& any, const Ceilings& ceilings) {
  constexpr int64_t kReadOfLevel = int64_t{64} << 20;  // bytes, by each rank
  CpuDevice& device = as_cpu(any);
  CpuStream stream(device);
  const int64_t ranks = device.pool().size();
  std::vector<float> sink(static_cast<size_t>(16 * ranks));
  std::vector<MemoryLevel> levels;
  const auto add_cache = [&](const char* name, int level, int64_t units) {
    // Half of it, in whole steps of the kernel: code, tables of pages and others' data take their part.
    const int64_t bytes = cache_bytes(level);
    const int64_t half = bytes / 2 / 4096 * 4096;
    if (half == 0) return;
    const Buffer buffer = device.allocate(static_cast<size_t>(half));
    stream.enqueue(fill, FillArgs{buffer.address(), half});
    const int64_t times = std::max<int64_t>(1, kReadOfLevel / half);
    const double seconds = best_seconds(stream, read_again,
                                        LevelArgs{.read = cpu_kernel_read_ceiling(device.isa()),
                                                  .what = {buffer.address<float>(), half / 4, sink.data()},
                                                  .times = times});
    levels.push_back({.name = name,
                      .bytes = static_cast<double>(bytes * units),
                      .read_gb_per_second = static_cast<double>(ranks * times * half) / 1e9 / seconds,
                      .latency_ns = chase_ns(device, stream, half, sink.data())});
  };
  add_cache("L1 cache", 1, ranks);
  add_cache("L2 cache", 2, ranks);
  add_cache("L3 cache", 3, 1);
  levels.push_back(
      {.name = "memory",
       .bytes = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE)),
       .read_gb_per_second = ceilings.read_gb_per_second,
       .latency_ns = chase_ns(device, stream, kReadBytes, sink.data())});
  return levels;
}

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
