#include "device/mirrored_arrays.h"

#include <algorithm>

#include "base/check.h"

namespace caravel {

void MirroredArrays::begin(size_t bytes) {
  used_ = 0;
  if (bytes <= host_.size()) return;
  const size_t larger = std::max(bytes, 2 * host_.size());
  Buffer device_memory = device_.unified() ? Buffer() : device_.allocate(larger);
  host_ = device_.allocate_host(larger);
  device_memory_ = std::move(device_memory);
}

void MirroredArrays::to_device(Stream& stream) const {
  if (used_ > 0 && !device_.unified()) stream.copy(device_memory_.address(), host_.as(), used_);
}

void MirroredArrays::to_host(Stream& stream) const {
  if (used_ > 0 && !device_.unified()) stream.copy(host_.as(), device_memory_.address(), used_);
}

size_t MirroredArrays::take(size_t bytes) {
  CARAVEL_CHECK_LE(used_ + bytes, host_.size());
  const size_t offset = used_;
  used_ += bytes;
  return offset;
}

}  // namespace caravel
