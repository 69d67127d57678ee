#include <cuda_runtime.h>

#include <bit>
#include <numeric>
#include <vector>

#include "kernels/ceilings.h"
#include "kernels/cuda/common.cuh"
#include "kernels/cuda/device_time.cuh"

// Latency is that of one thread which follows addresses that it has just loaded; read bandwidth that of all threads
// that an SM holds, by loads of 16 bytes. What way a load takes is a type: its load() of a word's index gives the word,
// its load_four() of the index of four of them all four.

namespace caravel::kernels::cuda {
namespace {

constexpr int kThreads = 1024;
constexpr int kLineWords = 32;        // of 4 bytes: a cache line
constexpr int kConstantWords = 8192;  // of the 64 KB that there are

__constant__ uint32_t constant_words[kConstantWords];

__device__ uint32_t mix(uint4 four) { return four.x ^ four.y ^ four.z ^ four.w; }

/// Global memory through the L1 cache.
struct ThroughL1 {
  const uint32_t* words;
  __device__ void begin() {}
  __device__ uint32_t load(uint32_t i) const {
    uint32_t word;
    asm volatile("ld.global.ca.u32 %0, [%1];" : "=r"(word) : "l"(words + i) : "memory");
    return word;
  }
  __device__ uint4 load_four(uint32_t i) const {
    uint4 four;
    asm volatile("ld.global.ca.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(four.x), "=r"(four.y), "=r"(four.z), "=r"(four.w)
                 : "l"(words + 4 * size_t{i})
                 : "memory");
    return four;
  }
};

/// The same past the L1 cache.
struct ThroughL2 {
  const uint32_t* words;
  __device__ void begin() {}
  __device__ uint32_t load(uint32_t i) const {
    uint32_t word;
    asm volatile("ld.global.cg.u32 %0, [%1];" : "=r"(word) : "l"(words + i) : "memory");
    return word;
  }
  __device__ uint4 load_four(uint32_t i) const {
    uint4 four;
    asm volatile("ld.global.cg.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(four.x), "=r"(four.y), "=r"(four.z), "=r"(four.w)
                 : "l"(words + 4 * size_t{i})
                 : "memory");
    return four;
  }
};

struct ThroughTexture {
  cudaTextureObject_t words;
  cudaTextureObject_t fours;
  __device__ void begin() {}
  __device__ uint32_t load(uint32_t i) const { return tex1Dfetch<uint32_t>(words, static_cast<int>(i)); }
  __device__ uint4 load_four(uint32_t i) const { return tex1Dfetch<uint4>(fours, static_cast<int>(i)); }
};

/// Every thread of a warp reads the same: what it loads counts once.
struct FromConstant {
  __device__ void begin() {}
  __device__ uint32_t load(uint32_t i) const { return constant_words[i]; }
  __device__ uint4 load_four(uint32_t i) const { return reinterpret_cast<const uint4*>(constant_words)[i / kWarp]; }
};

struct FromShared {
  const uint32_t* words;  // in global memory, which a block's are to be
  uint32_t count;
  uint32_t base = 0;
  __device__ void begin() {
    extern __shared__ __align__(16) uint32_t shared_words[];
    for (uint32_t i = threadIdx.x; i < count; i += blockDim.x) shared_words[i] = words[i];
    __syncthreads();
    base = static_cast<uint32_t>(__cvta_generic_to_shared(shared_words));
  }
  __device__ uint32_t load(uint32_t i) const {
    uint32_t word;
    asm volatile("ld.shared.u32 %0, [%1];" : "=r"(word) : "r"(base + 4 * i) : "memory");
    return word;
  }
  __device__ uint4 load_four(uint32_t i) const {
    uint4 four;
    asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(four.x), "=r"(four.y), "=r"(four.z), "=r"(four.w)
                 : "r"(base + 16 * i)
                 : "memory");
    return four;
  }
};

/// Leaves in each line's first word the index of the first word of the line `step` further on, around the end.
__global__ void link_lines(uint32_t* words, uint32_t lines, uint32_t step) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < lines) words[size_t{i} * kLineWords] = (i + step) % lines * kLineWords;
}

template <typename Way>
__global__ void chase(Way way, uint32_t at, int steps, uint32_t* sink) {
  way.begin();
  for (int i = 0; i < steps; ++i) at = way.load(at);
  if (at == ~0U) *sink = at;
}

/// Each thread reads `count` times four words, four of them at once, `step` apart from `first` on, around mask + 1.
template <typename Way>
__global__ void __launch_bounds__(kThreads)
    read_again(Way way, uint32_t mask, bool by_block, int count, uint32_t* sink) {
  way.begin();
  uint32_t i = by_block ? threadIdx.x : blockIdx.x * kThreads + threadIdx.x;
  const uint32_t step = by_block ? kThreads : gridDim.x * kThreads;
  uint32_t sum = 0;
  for (int n = 0; n < count; n += 4) {
    uint4 fours[4];
#pragma unroll
    for (uint4& four : fours) {
      four = way.load_four(i & mask);
      i += step;
    }
#pragma unroll
    for (const uint4 four : fours) sum ^= mix(four);
  }
  if (sum == 0x12345678U) *sink = sum;
}

/// Texture objects of words.
class Textures {
 public:
  Textures(const Buffer& buffer, size_t bytes) {
    make(way_.words, buffer, bytes, cudaCreateChannelDesc<uint32_t>());
    make(way_.fours, buffer, bytes, cudaCreateChannelDesc<uint4>());
  }
  ~Textures() {
    cudaDestroyTextureObject(way_.words);
    cudaDestroyTextureObject(way_.fours);
  }
  Textures(const Textures&) = delete;
  Textures& operator=(const Textures&) = delete;

  ThroughTexture way() const { return way_; }

 private:
  static void make(cudaTextureObject_t& texture, const Buffer& buffer, size_t bytes,
                   const cudaChannelFormatDesc& format) {
    cudaResourceDesc resource{};
    resource.resType = cudaResourceTypeLinear;
    resource.res.linear.devPtr = buffer.address();
    resource.res.linear.desc = format;
    resource.res.linear.sizeInBytes = bytes;
    cudaTextureDesc description{};
    description.readMode = cudaReadModeElementType;
    check_cuda(cudaCreateTextureObject(&texture, &resource, &description, nullptr), "making a texture");
  }

  ThroughTexture way_{};
};

int attribute(const CudaDevice& device, cudaDeviceAttr what) {
  int value = 0;
  check_cuda(cudaDeviceGetAttribute(&value, what, device.ordinal()), "asking what a device has");
  return value;
}

class Levels {
 public:
  explicit Levels(CudaDevice& device) : device_(device), stream_(device), sink_(device.allocate(sizeof(uint32_t))) {
    buffer_ = device.allocate(std::min(kMostBytes, device.memory_available() / 2));
  }

  std::vector<MemoryLevel> measure(const Ceilings& ceilings) {
    const auto* const words = buffer_.address<uint32_t>();
    const double sms = device_.num_sms();
    constexpr size_t kFew = size_t{16} << 10;
    // Before this, so that their limits stand: most of an SM's memory is the L1 cache's, but for shared memory's
    // kernels.
    for (const void* kernel :
         {reinterpret_cast<const void*>(chase<ThroughL1>), reinterpret_cast<const void*>(read_again<ThroughL1>),
          reinterpret_cast<const void*>(chase<ThroughTexture>),
          reinterpret_cast<const void*>(read_again<ThroughTexture>)}) {
      check_cuda(
          cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout, cudaSharedmemCarveoutMaxL1),
          "choosing the size of the L1 cache");
    }
    std::vector<MemoryLevel> levels;
    levels.push_back({.name = "shared memory",
                      .bytes = sms * attribute(device_, cudaDevAttrMaxSharedMemoryPerMultiprocessor),
                      .read_gb_per_second = read(FromShared{words, kFew / 4}, kFew, true, kFew),
                      .latency_ns = latency(FromShared{words, kFew / 4}, words_of(kFew), kFew)});
    const ThroughL1 l1{words};
    levels.push_back({.name = "L1 cache",
                      .bytes = sms * static_cast<double>(cache_bytes(l1, size_t{8} << 10, size_t{320} << 10)),
                      .read_gb_per_second = read(l1, kFew, true),
                      .latency_ns = latency(l1, words_of(kFew))});
    {
      const Textures textures(buffer_, kFew);
      levels.push_back({.name = "  by texture",
                        .read_gb_per_second = read(textures.way(), kFew, true),
                        .latency_ns = latency(textures.way(), words_of(kFew))});
    }
    constexpr size_t kConstantFew = 1024;
    const size_t constant_bytes = cache_bytes(FromConstant{}, 256, 4 * kConstantWords);
    link_constants(kConstantFew);
    levels.push_back({.name = "constant cache",
                      .bytes = sms * static_cast<double>(constant_bytes),
                      .read_gb_per_second = read(FromConstant{}, kWarp * kConstantFew, true) / kWarp,
                      .latency_ns = latency(FromConstant{}, kConstantFew / 4)});
    const ThroughL2 l2{words};
    const size_t l2_share = std::bit_floor(device_.l2_bytes() / 3);
    levels.push_back({.name = "L2 cache",
                      .bytes = static_cast<double>(device_.l2_bytes()),
                      .read_gb_per_second = read(l2, l2_share, false),
                      .latency_ns = latency(l2, words_of(l2_share / 4))});
    size_t free = 0;
    size_t total = 0;
    check_cuda(cudaMemGetInfo(&free, &total), "asking for the memory");
    levels.push_back({.name = "global memory",
                      .bytes = static_cast<double>(total),
                      .read_gb_per_second = ceilings.read_gb_per_second,
                      .latency_ns = latency(l2, words_of(buffer_.size()))});
    add_link(levels);
    return levels;
  }

 private:
  static constexpr size_t kMostBytes = size_t{1} << 30;
  static constexpr size_t kLinkBytes = size_t{256} << 20;

  /// Links the lines of so many bytes of the buffer; as many words.
  uint32_t words_of(size_t bytes) { return link(buffer_.address<uint32_t>(), bytes); }

  uint32_t link(uint32_t* words, size_t bytes) {
    const auto lines = static_cast<uint32_t>(bytes / (4 * kLineWords));
    // Far apart, and each once.
    auto step = static_cast<uint32_t>(0.618 * lines) | 1U;
    while (std::gcd(step, lines) != 1) step += 2;
    launch(stream_, link_lines, dim3(blocks_for(lines, 256)), dim3(256), 0, words, lines, step);
    return lines * kLineWords;
  }

  void link_constants(size_t bytes) {
    const uint32_t count = words_of(bytes);
    void* constants = nullptr;
    check_cuda(cudaGetSymbolAddress(&constants, constant_words), "finding constant memory");
    stream_.copy(constants, buffer_.address(), 4 * size_t{count});
  }

  /// Of a load, where the way's first `words` words are linked; what the first loads bring is left out. Every run
  /// begins at a line of its own: of memory that is much larger than caches none finds what one before has read.
  template <typename Way>
  double latency(Way way, uint32_t words, size_t shared_bytes = 0) {
    const int steps = static_cast<int>(std::clamp<uint32_t>(2 * words / kLineWords, 1024, 8192));
    uint32_t runs = 0;
    const auto seconds = [&](int count) {
      return best_seconds(stream_, [&] {
        const uint32_t line = ++runs * 2654435761U % (words / kLineWords);
        launch(stream_, chase<Way>, dim3(1), dim3(1), shared_bytes, way, line * kLineWords, count, sink());
      });
    };
    return (seconds(3 * steps) - seconds(steps)) / (2 * steps) * 1e9;
  }

  /// The most bytes, by steps of `step`, that are read about as fast as the fewest.
  template <typename Way>
  size_t cache_bytes(Way way, size_t step, size_t most) {
    double least = 0;
    for (size_t bytes = step; bytes <= most; bytes += step) {
      if constexpr (std::is_same_v<Way, FromConstant>) link_constants(bytes);
      const double each = latency(way, words_of(bytes));
      if (bytes == step) least = each;
      if (each > 1.15 * least) return bytes - step;
    }
    return most;
  }

  /// GB/s of `bytes`, a power of two, again and again: by_block: of each block all of them.
  template <typename Way>
  double read(Way way, size_t bytes, bool by_block, size_t shared_bytes = 0) {
    constexpr int kCount = 2048;
    const dim3 grid(static_cast<unsigned>(2 * device_.num_sms()));
    const double seconds = best_seconds(stream_, [&] {
      launch(stream_, read_again<Way>, grid, dim3(kThreads), shared_bytes, way, static_cast<uint32_t>(bytes / 16 - 1),
             by_block, kCount, sink());
    });
    return 16.0 * kCount * kThreads * grid.x / 1e9 / seconds;
  }

  void add_link(std::vector<MemoryLevel>& levels) {
    const size_t bytes = std::min(kLinkBytes, std::bit_floor(buffer_.size()));
    const HostBuffer pinned = device_.allocate_host(bytes);
    std::vector<std::byte> pageable(bytes);
    const auto add = [&](const char* name, const auto& copy, double times = 1) {
      levels.push_back(
          {.name = name, .read_gb_per_second = times * static_cast<double>(bytes) / 1e9 / best_seconds(stream_, copy)});
    };
    std::byte* const there = buffer_.address();
    add("host to device, pinned", [&] { stream_.copy(there, pinned.as(), bytes); });
    add("device to host, pinned", [&] { stream_.copy(pinned.as(), there, bytes); });
    {
      CudaStream other(device_);
      const std::unique_ptr<Event> begun = device_.make_event();
      const std::unique_ptr<Event> done = device_.make_event();
      add("both ways at once, pinned", [&] {
        stream_.record(*begun);
        other.wait(*begun);
        other.copy(pinned.as() + bytes / 2, there + bytes / 2, bytes / 2);
        other.record(*done);
        stream_.copy(there, pinned.as(), bytes / 2);
        stream_.wait(*done);
      });
      stream_.synchronize();
    }
    add("host to device, not pinned", [&] { stream_.copy(there, pageable.data(), bytes); });
    add("device to host, not pinned", [&] { stream_.copy(pageable.data(), there, bytes); });
    // Loads of a kernel that go over the link themselves: each line once.
    const ThroughL2 over_link{pinned.as<uint32_t>()};
    const dim3 grid(static_cast<unsigned>(2 * device_.num_sms()));
    const int count = static_cast<int>(bytes / 16 / (kThreads * size_t{grid.x})) / 4 * 4;
    const double seconds = best_seconds(stream_, [&] {
      launch(stream_, read_again<ThroughL2>, grid, dim3(kThreads), 0, over_link, static_cast<uint32_t>(bytes / 16 - 1),
             false, count, sink());
    });
    levels.push_back({.name = "host memory, read by kernels",
                      .read_gb_per_second = 16.0 * count * kThreads * grid.x / 1e9 / seconds,
                      .latency_ns = latency(over_link, link(pinned.as<uint32_t>(), bytes))});
  }

  uint32_t* sink() const { return sink_.address<uint32_t>(); }

  CudaDevice& device_;
  CudaStream stream_;
  Buffer sink_;
  Buffer buffer_;
};

}  // namespace

std::vector<MemoryLevel> measure_memory(Device& device, const Ceilings& ceilings) {
  return Levels(as_cuda(device)).measure(ceilings);
}

}  // namespace caravel::kernels::cuda
