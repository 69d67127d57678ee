#pragma once

#include <cstddef>

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
  Buffer vector(const VectorLayout& layout);
  kernels::PackedWeight matrix(const MatrixLayout& layout);

  /// That all of them take.
  size_t bytes() const { return bytes_; }

 private:
  Stream& stream_;
  const format::WeightSource& source_;
  size_t bytes_ = 0;
};

}  // namespace caravel::model
