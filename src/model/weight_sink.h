#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>

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
  /// The same of `count` experts, each of the same shapes and types, one after the other: stack_of(e) gives the e-th's,
  /// which may go when the next is asked for.
  using StackOf = std::function<std::span<const kernels::WeightRows>(int)>;
  virtual kernels::PackedWeight experts(int count, const StackOf& stack_of, int64_t in, bool rotated) = 0;
};

/// Into the device's own memory, to stay there.
class DeviceSink final : public WeightSink {
 public:
  explicit DeviceSink(Device& device);

  Device& device() const override { return stream_->device(); }
  Buffer vector(std::span<const float> values) override;
  kernels::PackedWeight matrix(std::span<const kernels::WeightRows> stacked, int64_t in, bool rotated) override;
  kernels::PackedWeight experts(int count, const StackOf& stack_of, int64_t in, bool rotated) override;

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
  kernels::PackedWeight matrix(std::span<const kernels::WeightRows> stacked, int64_t in, bool rotated) override;
  kernels::PackedWeight experts(int count, const StackOf& stack_of, int64_t in, bool rotated) override;
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
