#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "caravel/stats.h"

namespace caravel {

enum class DeviceKind : uint8_t { kCpu, kCuda };

class Device;

/// Memory of one device, owned; 64-byte aligned (large ones on huge pages where the system gives them), zeroed.
/// Movable; freed on destruction. Not thread-safe.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Device* device, void* data, size_t size) : device_(device), data_(data), size_(size) {}
  ~Buffer() { reset(); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      reset();
      swap(other);
    }
    return *this;
  }

  std::byte* data() const { return static_cast<std::byte*>(data_); }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  size_t size() const { return size_; }
  explicit operator bool() const { return data_ != nullptr; }
  void reset();

 private:
  void swap(Buffer& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  Device* device_ = nullptr;
  void* data_ = nullptr;
  size_t size_ = 0;
};

/// Work that runs in order on one device. Kernels enqueue and return at once; what they read and write must stay valid
/// until synchronize(). One thread at a time may use a stream.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual Device& device() const = 0;
  /// Returns when all that was enqueued is done.
  virtual void synchronize() = 0;

  /// What is enqueued from here on belongs to region `name` (static) of the profile, and reads `bytes` from memory and
  /// makes `macs` multiply-adds. Nothing where no profile is taken.
  void region(const char* name, double bytes = 0, double macs = 0);
  /// Takes a profile from here on.
  void start_profile() {
    profiling_ = true;
    region("other");
  }
  bool profiling() const { return profiling_; }
  /// In the order in which the regions first came; right after synchronize().
  std::span<const RegionTime> profile() const { return profile_; }

 protected:
  size_t current_region() const { return current_; }
  void add_time(size_t region, double seconds) { profile_[region].seconds += seconds; }

 private:
  bool profiling_ = false;
  size_t current_ = 0;
  std::vector<RegionTime> profile_;
};

/// A place that holds memory and runs kernels. Any thread may call it.
class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceKind kind() const = 0;
  /// For people, such as "CPU (avx512vnni)".
  virtual std::string name() const = 0;
  /// Throws CapacityError with what was asked and what is there.
  virtual Buffer allocate(size_t bytes) = 0;
  virtual void release(void* data, size_t bytes) = 0;
  /// Bytes that allocations may still take.
  virtual size_t memory_available() const = 0;
  virtual std::unique_ptr<Stream> make_stream() = 0;
  /// The calling thread will do little else than drive this device's streams, from here on until it ends.
  virtual void adopt_thread() {}
};

inline void Buffer::reset() {
  if (data_ != nullptr) device_->release(data_, size_);
  device_ = nullptr;
  data_ = nullptr;
  size_ = 0;
}

}  // namespace caravel
