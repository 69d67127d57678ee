#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "format/weight_source.h"
#include "model/weight_layout.h"
#include "model/weight_sink.h"

namespace caravel::model {

/// Brings weights into a sink as their layouts say, one after the other: of the source's data no more is mapped than
/// the part that is being packed, and no more than one expert's parts are held in another type.
class WeightLoader {
 public:
  WeightLoader(WeightSink& sink, const format::WeightSource& source) : sink_(sink), source_(source) {}

  // An empty layout gives an empty weight. They throw CapacityError and IoError.
  Buffer vector(const VectorLayout& layout) { return vector(values(layout)); }
  kernels::PackedWeight matrix(const MatrixLayout& layout);
  /// A vector as its files have it, for who changes it before it is brought in.
  std::vector<float> values(const VectorLayout& layout) const;
  Buffer vector(std::span<const float> values);

  /// That all of them take.
  size_t bytes() const { return bytes_; }

 private:
  WeightSink& sink_;
  const format::WeightSource& source_;
  size_t bytes_ = 0;
};

}  // namespace caravel::model
