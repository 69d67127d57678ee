#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "format/weight_source.h"

namespace caravel::format {

/// The weights of a source, in the order of its files, found by name.
class WeightTable {
 public:
  /// Throws FormatError where the name is there already.
  void add(WeightInfo weight);
  const WeightInfo* find(std::string_view name) const;
  std::span<const WeightInfo> weights() const { return weights_; }

 private:
  std::vector<WeightInfo> weights_;
  std::map<std::string, size_t, std::less<>> index_;
};

/// The bytes of `elements`, laid out as rows of `shape`'s last extent. Throws FormatError, which names the weight,
/// where an extent is not positive, the row is no multiple of the block, or the product does not fit 63 bits.
uint64_t checked_weight_bytes(const WeightInfo& weight);

/// Throws FormatError, which names both, where the bytes of two weights of one file overlap.
void refuse_overlaps(std::span<const WeightInfo> weights);

}  // namespace caravel::format
