#include "device/cuda/launch.h"

#include "device/cuda/cuda_device.h"

namespace caravel::internal {

void launch_kernel(Stream& stream, const void* kernel, const LaunchShape& shape, void** params) {
  CudaStream& cuda = as_cuda(stream);
  if (shape.grid.x == 0 || shape.grid.y == 0 || shape.grid.z == 0) return;
  cuda.device().make_current();
  if (shape.shared_bytes > 0) cuda.device().allow_shared_bytes(kernel, shape.shared_bytes);
  cudaLaunchAttribute attributes[2];
  cudaLaunchConfig_t config{};
  config.gridDim = shape.grid;
  config.blockDim = shape.block;
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = cuda.handle();
  config.attrs = attributes;
  if (shape.early && cuda.device().has_early_launches()) {
    cudaLaunchAttribute& early = attributes[config.numAttrs++];
    early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    early.val.programmaticStreamSerializationAllowed = 1;
  }
  if (shape.cluster.x * shape.cluster.y * shape.cluster.z > 1) {
    cudaLaunchAttribute& cluster = attributes[config.numAttrs++];
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = shape.cluster.x;
    cluster.val.clusterDim.y = shape.cluster.y;
    cluster.val.clusterDim.z = shape.cluster.z;
  }
  const cudaError_t status = cudaLaunchKernelExC(&config, kernel, params);
  if (status == cudaSuccess) return;
  const char* name = nullptr;
  cudaFuncGetName(&name, kernel);
  check_cuda(status, name != nullptr ? name : "launching a kernel");
}

}  // namespace caravel::internal
