#include "device/dtype.h"

#include "base/check.h"

namespace caravel {

const DTypeInfo& dtype_info(DType dtype) {
  static constexpr DTypeInfo kInfo[kDTypeCount] = {
      {"F32", 1, 4},      {"F16", 1, 2},      {"BF16", 1, 2},     {"F8_E4M3", 1, 1}, {"F8_E4M3_128", 128, 128},
      {"Q4_0", 32, 18},   {"Q4_1", 32, 20},   {"Q5_0", 32, 22},   {"Q5_1", 32, 24},  {"Q8_0", 32, 34},
      {"Q4_K", 256, 144}, {"Q5_K", 256, 176}, {"Q6_K", 256, 210}, {"MXFP4", 32, 17},
  };
  return kInfo[static_cast<int>(dtype)];
}

int64_t row_bytes(DType dtype, int64_t elements) {
  const DTypeInfo& info = dtype_info(dtype);
  CARAVEL_CHECK_EQ(elements % info.block_elements, 0);
  return elements / info.block_elements * info.block_bytes;
}

int64_t row_scales(DType dtype, int64_t elements) {
  if (!is_float8(dtype)) return 0;
  return dtype == DType::kF8E4M3 ? 1 : elements / dtype_info(dtype).block_elements;
}

}  // namespace caravel
