#pragma once

#include <cstdint>

#include "device/device.h"
#include "device/tensor.h"

namespace caravel::kernels {

/// How rows become one: their mean, the first, or the largest of each element.
enum class Pooling : uint8_t { kMean, kCls, kMax };

struct PoolRowsArgs {
  Tensor rows;                      // f32
  const int32_t* starts = nullptr;  // [count + 1]: sequence s has rows starts[s] .. starts[s + 1], at least one
  int64_t count = 0;
  Pooling pooling = Pooling::kMean;
  float* out = nullptr;  // [count, rows.width]
};

/// One row for each sequence; a mean is summed in double, row by row.
void pool_rows(Stream& stream, const PoolRowsArgs& args);

}  // namespace caravel::kernels
