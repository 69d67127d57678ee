#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"
#include "caravel/config.h"
#include "device/cpu/cpu_device.h"
#include "device/cuda_backend.h"
#include "device/open_device.h"

namespace caravel {

/// A CPU that behaves as a device of its own: the host dies where it touches the device's memory, which is there for
/// commands alone, and these run no sooner than somebody waits for them. Copies must be between such memory and pinned
/// memory.
class DeferredDevice final : public CpuDevice {
 public:
  explicit DeferredDevice(int threads = 0, Isa isa = available_isas().back()) : CpuDevice(threads, isa) {
    void* const reserved = ::mmap(nullptr, kReserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CARAVEL_CHECK(reserved != MAP_FAILED);
    base_ = static_cast<std::byte*>(reserved);
  }
  ~DeferredDevice() override { ::munmap(base_, kReserved); }
  DeferredDevice(const DeferredDevice&) = delete;
  DeferredDevice& operator=(const DeferredDevice&) = delete;

  Buffer allocate(size_t bytes) override {
    if (bytes == 0) return {};
    const std::lock_guard lock(mutex_);
    if (const auto freed = freed_.find(bytes); freed != freed_.end()) {
      std::byte* const data = freed->second;
      freed_.erase(freed);
      protect(PROT_READ | PROT_WRITE);
      std::memset(data, 0, bytes);
      protect(running_ ? PROT_READ | PROT_WRITE : PROT_NONE);
      return Buffer(this, data, bytes);
    }
    if (bytes > kReserved - used_) throw fail<CapacityError>("cannot allocate {} MiB of memory", bytes >> 20);
    std::byte* const data = base_ + used_;
    used_ += (bytes + 63) / 64 * 64;
    return Buffer(this, data, bytes);
  }
  void release(void* data, size_t bytes) override {
    const std::lock_guard lock(mutex_);
    freed_.emplace(bytes, static_cast<std::byte*>(data));
  }

  HostBuffer allocate_host(size_t bytes) override {
    HostBuffer buffer = CpuDevice::allocate_host(bytes);
    const std::lock_guard lock(mutex_);
    if (bytes > 0) pinned_[buffer.as()] = bytes;
    return buffer;
  }
  void release_host(void* data, size_t bytes) override {
    {
      const std::lock_guard lock(mutex_);
      pinned_.erase(static_cast<std::byte*>(data));
    }
    CpuDevice::release_host(data, bytes);
  }

  bool unified() const override { return false; }
  std::unique_ptr<Stream> make_stream() override;

  void run(ThreadPool::Job job, void* context) override {
    set_running(true);
    CpuDevice::run(job, context);
    set_running(false);
  }

  /// Whether a copy may read or write it.
  bool owns(const void* data, size_t bytes) {
    const std::lock_guard lock(mutex_);
    const auto* const begin = static_cast<const std::byte*>(data);
    if (begin >= base_ && begin + bytes <= base_ + used_) return true;
    const auto after = pinned_.upper_bound(begin);
    if (after == pinned_.begin()) return false;
    const auto& [pinned, size] = *std::prev(after);
    return begin + bytes <= pinned + size;
  }

 private:
  static constexpr size_t kReserved = size_t{1} << 36;

  void set_running(bool running) {
    const std::lock_guard lock(mutex_);
    running_ = running;
    protect(running ? PROT_READ | PROT_WRITE : PROT_NONE);
  }
  void protect(int how) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    CARAVEL_CHECK_EQ(::mprotect(base_, (used_ + page - 1) / page * page, how), 0);
  }

  std::mutex mutex_;  // guards what follows
  std::byte* base_ = nullptr;
  size_t used_ = 0;
  bool running_ = false;
  std::multimap<size_t, std::byte*> freed_;    // by size
  std::map<const std::byte*, size_t> pinned_;  // bytes from where on
};

class DeferredStream final : public CpuStream {
 public:
  explicit DeferredStream(DeferredDevice& device) : CpuStream(device), owner_(device) {}

  void copy(void* to, const void* from, size_t bytes) override {
    CARAVEL_CHECK(owner_.owns(to, bytes) && owner_.owns(from, bytes));
    CpuStream::copy(to, from, bytes);
  }

 private:
  DeferredDevice& owner_;
};

inline std::unique_ptr<Stream> DeferredDevice::make_stream() { return std::make_unique<DeferredStream>(*this); }

/// The device that tests of models and engines run on, by the environment's CARAVEL_TEST_DEVICE: "deferred", or a GPU
/// ("cuda", "cuda:1"), whatever threads and instructions are; else a CPU as it is. CARAVEL_TEST_CAPABILITY: of a GPU,
/// as of open_cuda().
inline std::string_view test_device() {
  const char* const device = std::getenv("CARAVEL_TEST_DEVICE");
  return device == nullptr ? "cpu" : device;
}
inline bool tests_a_gpu() { return test_device().starts_with("cuda"); }
inline std::unique_ptr<Device> open_test_device(int threads, Isa isa) {
  if (test_device() == "deferred") return std::make_unique<DeferredDevice>(threads, isa);
  if (test_device() == "cpu") return std::make_unique<CpuDevice>(threads, isa);
  const char* const capability = std::getenv("CARAVEL_TEST_CAPABILITY");
  return open_cuda(choose_device(test_device()).ordinal,
                   capability == nullptr ? kNewestCapability : std::atoi(capability));
}
/// A configuration that asks for the CPU has it: what an encoder runs on.
inline std::unique_ptr<Device> open_test_device(const EngineConfig& config) {
  if (config.device == "cpu" && test_device() != "deferred") return open_device(config);
  return open_test_device(config.threads, choose_isa(config.isa));
}

}  // namespace caravel
