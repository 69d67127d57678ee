#include "kernels/stack_parts.h"

#include "base/check.h"
#include "base/error.h"

namespace caravel::kernels {

std::vector<PackedWeight::Part> stack_parts(std::span<const WeightRows> stacked, int64_t in,
                                            size_t (*packed_bytes)(DType dtype, int64_t rows, int64_t in),
                                            size_t& bytes) {
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
  return parts;
}

}  // namespace caravel::kernels
