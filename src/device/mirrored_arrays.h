#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

#include "device/device.h"

namespace caravel {

/// Arrays that lie in memory of a device and, alike, in pinned memory of the host: laid out anew for each use, and
/// brought over together by one copy, either way. On a unified device they are the same memory. Nothing of them may
/// change while a copy, or a command that reads them, is in flight.
class MirroredArrays {
 public:
  template <typename T>
  struct Array {
    std::span<T> host;
    T* device = nullptr;  // as commands take it
  };

  explicit MirroredArrays(Device& device) : device_(device) {}

  /// Bytes that an array takes.
  template <typename T>
  static constexpr size_t bytes_of(size_t count) {
    return (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
  }

  /// Begins anew, with room for arrays of so many bytes_of() together. Throws CapacityError.
  void begin(size_t bytes);
  /// The next one; what it holds is left over from before.
  template <typename T>
  Array<T> add(size_t count) {
    static_assert(std::is_trivially_copyable_v<T>);
    const size_t offset = take(bytes_of<T>(count));
    return {{reinterpret_cast<T*>(host_.as() + offset), count}, reinterpret_cast<T*>(on_device() + offset)};
  }
  /// The next one, with a copy of `values`; its address on the device.
  template <typename T>
  T* add(std::span<const T> values) {
    const Array<T> array = add<T>(values.size());
    if (!values.empty()) std::memcpy(array.host.data(), values.data(), values.size_bytes());
    return array.device;
  }

  // They enqueue the copy of all arrays, where there are any.
  void to_device(Stream& stream) const;
  void to_host(Stream& stream) const;

 private:
  static constexpr size_t kAlignment = 64;

  size_t take(size_t bytes);
  std::byte* on_device() const { return device_.unified() ? host_.as() : device_memory_.address(); }

  Device& device_;
  Buffer device_memory_;
  HostBuffer host_;
  size_t used_ = 0;
};

}  // namespace caravel
