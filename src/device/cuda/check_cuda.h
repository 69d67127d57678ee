#pragma once

#include <cuda_runtime_api.h>

namespace caravel {

/// Throws where `status` is no success: CapacityError of memory that is not there, Error where the call alone failed,
/// else DeviceLost, all with CUDA's own words. `what` says what was being done. After an error that a kernel made, every
/// later call fails with it.
void check_cuda(cudaError_t status, const char* what);

}  // namespace caravel
