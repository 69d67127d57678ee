#pragma once

#include <cuda_runtime_api.h>

namespace caravel {

/// Throws where `status` is no success: CapacityError of memory that is not there, else Error, with CUDA's own words.
/// `what` says what was being done. After an error that a kernel made, every later call fails with it: the device is
/// lost to this process, and the message says so.
void check_cuda(cudaError_t status, const char* what);

}  // namespace caravel
