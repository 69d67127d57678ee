#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "device/device.h"
#include "kernels/packed_weight.h"
#include "model/weight_layout.h"

namespace caravel::model {

/// Where weights go, one after the other, as they are read from files.
class WeightSink {
 public:
  virtual ~WeightSink() = default;
  /// Whose kernels will read them.
  virtual Device& device() const = 0;
  // Synchronous: what they are given may go afterwards. They throw CapacityError.
  virtual Buffer vector(std::span<const float> values) = 0;
  /// As kernels::WeightPacker has it.
  virtual kernels::PackedWeight matrix(const MatrixLayout& layout, const kernels::StackOf& stack_of) = 0;
};

/// Into the device's own memory, to stay there.
class DeviceSink final : public WeightSink {
 public:
  explicit DeviceSink(Device& device);

  Device& device() const override { return stream_->device(); }
  Buffer vector(std::span<const float> values) override;
  kernels::PackedWeight matrix(const MatrixLayout& layout, const kernels::StackOf& stack_of) override;
  kernels::WeightPacker& packer() { return *packer_; }

 private:
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<kernels::WeightPacker> packer_;
};

/// Matrices by way of a device, which packs them, into pinned memory of the host, one after the other
/// (layer_stream.h); vectors to the device, to stay.
class HostSink final : public WeightSink {
 public:
  /// bytes: that all matrices take. Throws CapacityError.
  HostSink(DeviceSink& device, size_t bytes);

  Device& device() const override { return device_.device(); }
  Buffer vector(std::span<const float> values) override { return device_.vector(values); }
  kernels::PackedWeight matrix(const MatrixLayout& layout, const kernels::StackOf& stack_of) override;
  /// What holds them.
  HostBuffer take() { return std::move(memory_); }

 private:
  /// Memory for the next matrix.
  std::byte* take(size_t bytes);

  DeviceSink& device_;
  HostBuffer memory_;
  size_t used_ = 0;
  std::unique_ptr<Stream> stream_;
};

}  // namespace caravel::model
