#pragma once

#include <cuda.h>

#include <cstdint>
#include <initializer_list>

namespace caravel::kernels::cuda {

/// What copy_box() copies boxes from: a matrix or a stack of them, sizes from the innermost dimension out, at most
/// three; `strides` of all but that one, in bytes. What a box has of places outside comes as zeros.
CUtensorMap tensor_map(CUtensorMapDataType type, CUtensorMapSwizzle swizzle, const void* data,
                       std::initializer_list<int64_t> sizes, std::initializer_list<int64_t> strides,
                       std::initializer_list<int> box);

}  // namespace caravel::kernels::cuda
