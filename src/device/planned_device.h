#pragma once

#include <cstdint>
#include <string>

#include "device/device.h"

namespace caravel {

/// A GPU that is not there, to plan with: kernels say how they would lay out what lies on it, and nothing can be
/// allocated or run.
class PlannedDevice final : public Device {
 public:
  explicit PlannedDevice(int64_t bytes) : bytes_(bytes) {}

  DeviceKind kind() const override { return DeviceKind::kCuda; }
  std::string name() const override;
  // They throw Unsupported.
  Buffer allocate(size_t bytes) override;
  HostBuffer allocate_host(size_t bytes) override;
  std::unique_ptr<Stream> make_stream() override;
  std::unique_ptr<Event> make_event() override;
  void release(void*, size_t) override {}
  void release_host(void*, size_t) override {}
  size_t memory_available() const override { return static_cast<size_t>(bytes_); }

 private:
  int64_t bytes_;
};

}  // namespace caravel
