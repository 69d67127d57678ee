#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/check.h"
#include "device/chunks.h"
#include "device/cuda/check_cuda.h"
#include "device/cuda/choose_cuda.h"
#include "device/cuda_backend.h"
#include "device/device.h"

namespace caravel {

/// One NVIDIA GPU. Its memory is its own; pinned memory of the host has the same address there.
class CudaDevice final : public Device {
 public:
  /// most_capability: as of open_cuda(). Throws InvalidArgument where there is no such device, Unsupported where it,
  /// its driver or this build do not fit one another.
  explicit CudaDevice(int ordinal, int most_capability = kNewestCapability);
  ~CudaDevice() override;
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  DeviceKind kind() const override { return DeviceKind::kCuda; }
  std::string name() const override;
  Buffer allocate(size_t bytes) override;
  HostBuffer allocate_host(size_t bytes) override;
  void release(void* data, size_t bytes) override;
  void release_host(void* data, size_t bytes) override;
  size_t memory_available() const override;
  std::unique_ptr<Stream> make_stream() override;
  std::unique_ptr<Event> make_event() override;
  void adopt_thread() override { make_current(); }

  int ordinal() const { return ordinal_; }
  int num_sms() const { return properties_.multiProcessorCount; }
  /// Major and minor in one: 90. What kernels that are there take the device for.
  int compute_capability() const { return std::min(10 * properties_.major + properties_.minor, most_capability_); }
  /// Four warps multiply together, by wgmma: what sm_90a is compiled with, and no other architecture has.
  bool has_warpgroups() const { return warpgroups_; }
  /// Kernels may begin while the one before them runs.
  bool has_early_launches() const { return compute_capability() >= 90; }
  /// Of one block, where the kernel's limit was raised: launch() does.
  size_t max_shared_bytes() const { return properties_.sharedMemPerBlockOptin; }
  size_t l2_bytes() const { return static_cast<size_t>(properties_.l2CacheSize); }

  /// What the calling thread asks of CUDA concerns this device from here on.
  void make_current() const { check_cuda(cudaSetDevice(ordinal_), "choosing a device"); }
  /// Lets blocks of `kernel` have that much dynamic shared memory. Throws Unsupported where no block can.
  void allow_shared_bytes(const void* kernel, size_t bytes);

 private:
  static constexpr size_t kAlignment = 256;  // bytes
  static constexpr size_t kChunkBytes = size_t{32} << 20;
  static constexpr size_t kHostChunkBytes = size_t{4} << 20;
  std::byte* take_of_device(size_t bytes);
  std::byte* take_of_host(size_t bytes);

  int ordinal_;
  int most_capability_;
  cudaDeviceProp properties_{};
  bool warpgroups_;
  cudaStream_t zeroing_ = nullptr;
  // CUDA's own allocations take 2 MiB at least, and some time.
  Chunks chunks_{kChunkBytes, kAlignment, Chunks::WhenEmpty::kReuse};
  Chunks host_chunks_{kHostChunkBytes, kAlignment, Chunks::WhenEmpty::kReuse};
  std::mutex mutex_;                        // guards what follows
  std::unordered_set<const void*> raised_;  // kernels that may have all shared memory
};

/// Commands go to the device as they are enqueued.
class CudaStream final : public Stream {
 public:
  explicit CudaStream(CudaDevice& device);
  ~CudaStream() override;
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;

  CudaDevice& device() const override { return device_; }
  void synchronize() override;
  void copy(void* to, const void* from, size_t bytes) override;
  void record(Event& event) override;
  void wait(const Event& event) override;
  void begin_capture() override;
  std::unique_ptr<CommandList> end_capture() override;
  void run(const CommandList& list) override;

  cudaStream_t handle() const { return handle_; }
  /// Adds to the profile what has been done so far.
  void gather_times();

 protected:
  void begin_region() override;
  void begin_idle() override;

 private:
  static constexpr size_t kIdle = ~size_t{0};
  /// From here on, the stream's time is a region's.
  struct Mark {
    cudaEvent_t event;
    size_t region;  // or kIdle
  };

  void mark(size_t region);

  CudaDevice& device_;
  cudaStream_t handle_ = nullptr;
  bool capturing_ = false;
  std::deque<Mark> marks_;          // where a profile is taken; the last one is the current region's
  std::vector<cudaEvent_t> spare_;  // timed events that wait for their next use
};

inline CudaDevice& as_cuda(Device& device) {
  CARAVEL_CHECK(device.kind() == DeviceKind::kCuda);
  return static_cast<CudaDevice&>(device);
}

inline CudaStream& as_cuda(Stream& stream) {
  CARAVEL_CHECK(stream.device().kind() == DeviceKind::kCuda);
  return static_cast<CudaStream&>(stream);
}

}  // namespace caravel
