#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "device/upload.h"

namespace caravel {

/// What lies at `from` in a device's memory, once all that was enqueued is done.
template <typename T>
std::vector<T> download(Stream& stream, const T* from, size_t count) {
  if (count == 0) return {};
  const HostBuffer host = stream.device().allocate_host(count * sizeof(T));
  stream.copy(host.as(), from, host.size());
  stream.synchronize();
  return {host.as<T>(), host.as<T>() + count};
}

/// An array in a device's memory.
template <typename T>
class DeviceArray {
 public:
  DeviceArray(Stream& stream, std::span<const T> values)
      : stream_(&stream), size_(values.size()), buffer_(upload(stream, values)) {}
  DeviceArray(Stream& stream, const std::vector<T>& values) : DeviceArray(stream, std::span<const T>(values)) {}
  /// Of `count` times `value`.
  DeviceArray(Stream& stream, int64_t count, T value)
      : DeviceArray(stream, std::vector<T>(static_cast<size_t>(count), value)) {}

  T* data() const { return buffer_.template address<T>(); }
  size_t size() const { return size_; }
  std::vector<T> values() const { return download<T>(*stream_, data(), size_); }

 private:
  Stream* stream_;
  size_t size_;
  Buffer buffer_;
};

}  // namespace caravel
