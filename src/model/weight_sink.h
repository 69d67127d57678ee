#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "device/device.h"
#include "kernels/packed_weight.h"

namespace caravel::model {

/// Where weights go, one after the other, as they are read from files.
class WeightSink {
 public:
  virtual ~WeightSink() = default;
  /// Whose kernels will read them.
  virtual Device& device() const = 0;
  // Synchronous: what they are given may go afterwards. They throw CapacityError.
  virtual Buffer vector(std::span<const float> values) = 0;
  /// As kernels::pack_weight().
  virtual kernels::PackedWeight matrix(std::span<const kernels::WeightRows> stacked, int64_t in, bool rotated) = 0;
};

/// Into the device's own memory, to stay there.
class DeviceSink final : public WeightSink {
 public:
  explicit DeviceSink(Device& device);

  Device& device() const override { return stream_->device(); }
  Buffer vector(std::span<const float> values) override;
  kernels::PackedWeight matrix(std::span<const kernels::WeightRows> stacked, int64_t in, bool rotated) override;

 private:
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<kernels::WeightPacker> packer_;
};

}  // namespace caravel::model
