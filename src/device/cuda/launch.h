#pragma once

#include <cuda_runtime_api.h>

#include "device/device.h"

namespace caravel {

/// How a kernel is spread.
struct LaunchShape {
  dim3 grid{1, 1, 1};  // of blocks; none at all is no launch
  dim3 block{1, 1, 1};
  size_t shared_bytes = 0;  // dynamic shared memory of a block; the kernel's limit is raised where it takes that
  dim3 cluster{1, 1, 1};
  /// Programmatic dependent launch: the kernel may begin while what is before it in the stream still runs. Until it has
  /// called cudaGridDependencySynchronize() it may read what never changes, and nothing else.
  bool early = false;
};

namespace internal {

/// params: addresses of the kernel's parameters.
void launch_kernel(Stream& stream, const void* kernel, const LaunchShape& shape, void** params);

}  // namespace internal
}  // namespace caravel
