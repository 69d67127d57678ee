#pragma once

#include <cstdint>

#include "device/dtype.h"

namespace caravel {

/// Rows of elements in a device's memory, [rows, width]: a view, which owns nothing and is copied into commands. Row r
/// begins r * stride elements after the first.
///
/// `rows` is known when a command is enqueued, and so a bound for as long as a captured list of commands is run. A
/// count below it, which changes from step to step or which a kernel finds out, lies in device memory, where the op
/// reads it (KV slots of -1, where sequences begin).
struct Tensor {
  void* data = nullptr;
  DType dtype = DType::kF32;
  int64_t rows = 0;
  int64_t width = 0;
  int64_t stride = 0;  // elements; at least width
};

/// Rows without gaps.
inline Tensor make_tensor(void* data, DType dtype, int64_t rows, int64_t width) {
  return {data, dtype, rows, width, width};
}

/// The same of f32. An op that only reads its rows takes const ones too.
inline Tensor f32_tensor(const float* data, int64_t rows, int64_t width) {
  return make_tensor(const_cast<float*>(data), DType::kF32, rows, width);
}

}  // namespace caravel
