#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "device/device.h"
#include "format/weight_source.h"
#include "kernels/packed_weight.h"
#include "model/weight_layout.h"

namespace caravel::model {

/// Brings weights into memory as their layouts say, one after the other: of the source's data no more is mapped than
/// what is being packed.
class WeightLoader {
 public:
  WeightLoader(Stream& stream, const format::WeightSource& source) : stream_(stream), source_(source) {}

  // An empty layout gives an empty weight. They throw CapacityError and IoError.

  /// change: makes of the files' values what is loaded.
  Buffer vector(const VectorLayout& layout, const std::function<void(std::span<float>)>& change = {});
  kernels::PackedWeight matrix(const MatrixLayout& layout);

  /// The files' values of a vector, which stay with the host.
  std::vector<float> values(const VectorLayout& layout) const;

  /// That all weights take which were loaded.
  size_t bytes() const { return bytes_; }

 private:
  Stream& stream_;
  const format::WeightSource& source_;
  size_t bytes_ = 0;
};

}  // namespace caravel::model
