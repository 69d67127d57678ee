#include "format/weight_table.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/printable.h"

namespace caravel::format {

void WeightTable::add(WeightInfo weight) {
  // Architectures say by an empty name what they do not have.
  if (weight.name.empty()) throw fail<FormatError>("{}: a tensor has no name", weight.file);
  const auto [place, added] = index_.try_emplace(weight.name, weights_.size());
  if (!added) {
    throw fail<FormatError>("{}: tensor {} is there twice (also in {})", weight.file, printable(weight.name),
                            weights_[place->second].file);
  }
  weights_.push_back(std::move(weight));
}

const WeightInfo* WeightTable::find(std::string_view name) const {
  const auto place = index_.find(name);
  return place == index_.end() ? nullptr : &weights_[place->second];
}

uint64_t checked_weight_bytes(const WeightInfo& weight) {
  const DTypeInfo& type = dtype_info(weight.dtype);
  const int64_t row = weight.shape.empty() ? 1 : weight.shape.back();
  if (row % type.block_elements != 0) {
    throw fail<FormatError>("{}: tensor {} has rows of {} elements, no multiple of the {} that a block of {} holds",
                            weight.file, printable(weight.name), row, type.block_elements, type.name);
  }
  int64_t bytes = type.block_bytes;
  for (size_t i = 0; i < weight.shape.size(); ++i) {
    const int64_t extent = i + 1 == weight.shape.size() ? row / type.block_elements : weight.shape[i];
    if (extent < 1 || __builtin_mul_overflow(bytes, extent, &bytes)) {
      throw fail<FormatError>("{}: tensor {} has the impossible shape [{}]", weight.file, printable(weight.name),
                              fmt::join(weight.shape, ", "));
    }
  }
  return static_cast<uint64_t>(bytes);
}

void refuse_overlaps(std::span<const WeightInfo> weights) {
  std::vector<const WeightInfo*> by_offset;
  for (const WeightInfo& weight : weights) by_offset.push_back(&weight);
  std::ranges::sort(by_offset, {}, &WeightInfo::offset);
  for (size_t i = 1; i < by_offset.size(); ++i) {
    const WeightInfo& before = *by_offset[i - 1];
    const WeightInfo& weight = *by_offset[i];
    if (weight.offset - before.offset >= before.bytes) continue;
    throw fail<FormatError>("{}: the bytes of tensors {} and {} overlap: the file is corrupt", weight.file,
                            printable(before.name), printable(weight.name));
  }
}

}  // namespace caravel::format
