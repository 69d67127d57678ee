#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "caravel/stats.h"

namespace caravel {

enum class DeviceKind : uint8_t { kCpu, kCuda };

class Buffer;
class HostBuffer;
class Stream;

/// What was enqueued on a stream before it was recorded there. A stream must be there as long as an event of it is
/// waited for. One thread at a time may use a device's streams and events.
class Event {
 public:
  virtual ~Event() = default;
  /// Returns once all of it is done; at once where the event was never recorded.
  virtual void wait() = 0;
};

/// Commands that were enqueued once, to be run any number of times: with what their memory holds then.
class CommandList {
 public:
  virtual ~CommandList() = default;
};

/// A place that holds memory and runs kernels. Any thread may call it.
class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceKind kind() const = 0;
  /// For people, such as "CPU (avx512vnni)".
  virtual std::string name() const = 0;
  // Both throw CapacityError with what was asked and what is there.
  virtual Buffer allocate(size_t bytes) = 0;
  virtual HostBuffer allocate_host(size_t bytes) = 0;
  virtual void release(void* data, size_t bytes) = 0;
  virtual void release_host(void* data, size_t bytes) = 0;
  /// Pinned memory of the host serves commands as well as its own: nothing need be brought over.
  virtual bool unified() const { return false; }
  /// Bytes that allocations may still take.
  virtual size_t memory_available() const = 0;
  virtual std::unique_ptr<Stream> make_stream() = 0;
  virtual std::unique_ptr<Event> make_event() = 0;
  /// The calling thread will do little else than drive this device's streams, from here on until it ends.
  virtual void adopt_thread() {}
};

/// Memory that a device has given and takes back on destruction, unless it is a view; zeroed, 64-byte aligned (large
/// ones on huge pages where the system gives them). Movable. Not thread-safe.
template <void (Device::*kRelease)(void* data, size_t bytes)>
class Memory {
 public:
  Memory() = default;
  Memory(Device* device, void* data, size_t size) : device_(device), data_(data), size_(size) {}
  ~Memory() { reset(); }
  Memory(Memory&& other) noexcept { swap(other); }
  Memory& operator=(Memory&& other) noexcept {
    if (this != &other) {
      reset();
      swap(other);
    }
    return *this;
  }

  size_t size() const { return size_; }
  explicit operator bool() const { return data_ != nullptr; }
  void reset() {
    if (device_ != nullptr) (device_->*kRelease)(data_, size_);
    device_ = nullptr;
    data_ = nullptr;
    size_ = 0;
  }

 protected:
  void* data() const { return data_; }

 private:
  void swap(Memory& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  Device* device_ = nullptr;
  void* data_ = nullptr;
  size_t size_ = 0;
};

/// Memory of the device: commands read and write it, the host does not.
class Buffer : public Memory<&Device::release> {
 public:
  using Memory::Memory;
  /// Memory that somebody else keeps as long: the device's, or pinned memory of the host that commands read.
  static Buffer view(std::byte* data, size_t size) { return {nullptr, data, size}; }
  /// As commands take it; the host does not follow it.
  template <typename T = std::byte>
  T* address() const {
    return static_cast<T*>(data());
  }
};

/// Pinned memory of the host, which commands read and write too: in between the host waits for them.
class HostBuffer : public Memory<&Device::release_host> {
 public:
  using Memory::Memory;
  template <typename T = std::byte>
  T* as() const {
    return static_cast<T*>(data());
  }
  /// All of it that makes whole elements.
  template <typename T>
  std::span<T> span() const {
    return {as<T>(), size() / sizeof(T)};
  }
};

/// Work that runs in order on one device. Kernels enqueue and return at once; what they read and write must stay valid
/// until synchronize(), or until an event behind them was waited for. When a stream goes, what has not run is dropped
/// or done before it is gone.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual Device& device() const = 0;
  /// Returns when all that was enqueued is done.
  virtual void synchronize() = 0;
  /// Enqueues a copy between the device's memory and pinned memory of the host, or within either.
  virtual void copy(void* to, const void* from, size_t bytes) = 0;
  /// `event` stands for what has been enqueued so far, from here on.
  virtual void record(Event& event) = 0;
  /// What is enqueued from here on runs after what `event` stands for now.
  virtual void wait(const Event& event) = 0;

  /// What is enqueued from here on is not run, but kept in a list. Events are neither recorded nor waited for in it.
  virtual void begin_capture() = 0;
  virtual std::unique_ptr<CommandList> end_capture() = 0;
  /// Enqueues what a stream of the same device captured, as a part of the current region. The list must stay until it
  /// is done.
  virtual void run(const CommandList& list) = 0;

  /// What is enqueued from here on belongs to region `name` (static) of the profile, and reads `bytes` from memory and
  /// makes `macs` multiply-adds. Nothing where no profile of regions is taken.
  void region(const char* name, double bytes = 0, double macs = 0);
  /// The commands of a step follow; all that it has so far are enqueued; nothing is to be done for now. With a profile
  /// of steps the first two begin a region each, and the third ends the second's.
  void begin_step();
  void end_step();
  void rest();
  /// Takes a profile from here on, or none.
  void start_profile(Profile profile);
  Profile profiling() const { return profiling_; }
  /// In the order in which the regions first came; right after synchronize().
  std::span<const RegionTime> profile() const { return profile_; }

 protected:
  size_t current_region() const { return current_; }
  void add_time(size_t region, double seconds) { profile_[region].seconds += seconds; }
  /// Where a profile is taken: the current region is another one from here on, or none.
  virtual void begin_region() {}
  virtual void begin_idle() {}

 private:
  void enter(const char* name, double bytes, double macs);

  Profile profiling_ = Profile::kNone;
  size_t current_ = 0;
  std::vector<RegionTime> profile_;
};

}  // namespace caravel
