#pragma once

#include <cuda.h>

#include <cstdint>
#include <initializer_list>
#include <span>

namespace caravel::kernels::cuda {

/// What copy_box() copies boxes from: a matrix or a stack of them, sizes from the innermost dimension out, at most
/// five; `strides` of all but that one, in bytes. What a box has of places outside comes as zeros.
CUtensorMap tensor_map(CUtensorMapDataType type, CUtensorMapSwizzle swizzle, const void* data,
                       std::span<const int64_t> sizes, std::span<const int64_t> strides, std::span<const int> box);
/// The same with lists.
inline CUtensorMap tensor_map(CUtensorMapDataType type, CUtensorMapSwizzle swizzle, const void* data,
                              std::initializer_list<int64_t> sizes, std::initializer_list<int64_t> strides,
                              std::initializer_list<int> box) {
  return tensor_map(type, swizzle, data, std::span(sizes.begin(), sizes.size()),
                    std::span(strides.begin(), strides.size()), std::span(box.begin(), box.size()));
}

}  // namespace caravel::kernels::cuda
