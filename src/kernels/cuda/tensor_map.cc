#include "kernels/cuda/tensor_map.h"

#include <cudaTypedefs.h>
#include <cuda_runtime_api.h>

#include <algorithm>

#include "base/check.h"
#include "device/cuda/check_cuda.h"

namespace caravel::kernels::cuda {
namespace {

/// Of the driver, found at run time: there is none to link with where there is no GPU.
PFN_cuTensorMapEncodeTiled_v12000 encode_function() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult result{};
  check_cuda(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &result),
             "looking for cuTensorMapEncodeTiled");
  CARAVEL_CHECK(result == cudaDriverEntryPointSuccess);
  return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(function);
}

constexpr size_t kMostDimensions = 5;

}  // namespace

CUtensorMap tensor_map(CUtensorMapDataType type, CUtensorMapSwizzle swizzle, const void* data,
                       std::span<const int64_t> sizes, std::span<const int64_t> strides, std::span<const int> box) {
  static const PFN_cuTensorMapEncodeTiled_v12000 encode = encode_function();
  cuuint64_t size[kMostDimensions];
  cuuint64_t stride[kMostDimensions];
  cuuint32_t edge[kMostDimensions];
  const cuuint32_t steps[kMostDimensions] = {1, 1, 1, 1, 1};
  CARAVEL_CHECK(sizes.size() <= kMostDimensions && box.size() == sizes.size() && strides.size() + 1 == sizes.size());
  std::copy(sizes.begin(), sizes.end(), size);
  std::copy(strides.begin(), strides.end(), stride);
  std::copy(box.begin(), box.end(), edge);
  CUtensorMap map;
  const CUresult status = encode(&map, type, static_cast<cuuint32_t>(sizes.size()), const_cast<void*>(data), size,
                                 stride, edge, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle,
                                 CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  CARAVEL_CHECK_EQ(static_cast<int>(status), static_cast<int>(CUDA_SUCCESS));
  return map;
}

}  // namespace caravel::kernels::cuda
