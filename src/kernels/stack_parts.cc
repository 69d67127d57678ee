#include "kernels/stack_parts.h"

#include "base/check.h"
#include "base/error.h"

namespace caravel::kernels {

std::vector<PackedWeight::Part> stack_parts(std::span<const WeightRows> stacked, int64_t in,
                                            size_t (*packed_bytes)(DType dtype, int64_t rows, int64_t in), int experts,
                                            size_t& bytes) {
  CARAVEL_CHECK_GE(experts, 1);
  CARAVEL_CHECK_EQ(stacked.size() % static_cast<size_t>(experts), size_t{0});
  const std::span<const WeightRows> all = stacked;
  stacked = all.first(all.size() / static_cast<size_t>(experts));
  CARAVEL_CHECK(!stacked.empty() && stacked.size() <= PackedWeight::kMaxParts);
  std::vector<PackedWeight::Part> parts;
  int64_t out = 0;
  bytes = 0;
  for (const WeightRows& part : stacked) {
    const DTypeInfo& info = dtype_info(part.dtype);
    if (is_quantized(part.dtype) != is_quantized(stacked[0].dtype)) {
      throw fail<Unsupported>("a {} and a {} matrix share one input; either both are quantised or neither",
                              dtype_info(stacked[0].dtype).name, info.name);
    }
    if (in <= 0 || in % info.block_elements != 0) {
      throw fail<InvalidArgument>("a {} matrix has rows of {} elements, no multiple of its block of {}", info.name, in,
                                  info.block_elements);
    }
    parts.push_back({part.dtype, out, part.rows, bytes, part.heads});
    out += part.rows;
    bytes += packed_bytes(part.dtype, part.rows, in);
  }
  for (size_t i = stacked.size(); i < all.size(); ++i) {
    const WeightRows& first = stacked[i % stacked.size()];
    CARAVEL_CHECK_EQ(all[i].rows, first.rows);
    if (all[i].dtype != first.dtype) {
      throw fail<Unsupported>(
          "the matrix of expert 0 is {} and that of expert {} is {}; those of a layer must be of one type",
          dtype_info(first.dtype).name, i / stacked.size(), dtype_info(all[i].dtype).name);
    }
  }
  return parts;
}

}  // namespace caravel::kernels
