#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>

#include "device/device.h"

namespace caravel::model {

/// How many bytes each buffer between the regions of a forward pass takes. Name is an enumeration that ends with
/// kCount, and the one list of those buffers: a plan from headers adds up what is allocated later.
template <typename Name>
class ActivationSizes {
 public:
  size_t operator[](Name name) const { return bytes_[static_cast<size_t>(name)]; }
  /// At least so many.
  void raise(Name name, size_t bytes) {
    size_t& own = bytes_[static_cast<size_t>(name)];
    own = std::max(own, bytes);
  }
  size_t total() const { return std::accumulate(bytes_.begin(), bytes_.end(), size_t{0}); }

 private:
  std::array<size_t, static_cast<size_t>(Name::kCount)> bytes_ = {};
};

/// Those buffers. A size of 0 makes an empty one.
template <typename Name>
class Activations {
 public:
  Activations(Device& device, const ActivationSizes<Name>& sizes) {
    for (size_t i = 0; i < buffers_.size(); ++i) buffers_[i] = device.allocate(sizes[static_cast<Name>(i)]);
  }

  const Buffer& operator[](Name name) const { return buffers_[static_cast<size_t>(name)]; }
  /// What they take, as allocated.
  size_t bytes() const {
    return std::accumulate(buffers_.begin(), buffers_.end(), size_t{0},
                           [](size_t bytes, const Buffer& buffer) { return bytes + buffer.size(); });
  }

 private:
  std::array<Buffer, static_cast<size_t>(Name::kCount)> buffers_;
};

}  // namespace caravel::model
