#pragma once

#include <cstring>
#include <span>

#include "device/device.h"

namespace caravel {

/// Memory of the device with a copy of `values`, brought there through pinned memory. Returns when it is done: for what
/// is made once. Throws CapacityError.
template <typename T>
Buffer upload(Stream& stream, std::span<const T> values) {
  if (values.empty()) return {};
  const HostBuffer staged = stream.device().allocate_host(values.size_bytes());
  std::memcpy(staged.as(), values.data(), values.size_bytes());
  Buffer buffer = stream.device().allocate(values.size_bytes());
  stream.copy(buffer.address(), staged.as(), values.size_bytes());
  stream.synchronize();
  return buffer;
}

}  // namespace caravel
