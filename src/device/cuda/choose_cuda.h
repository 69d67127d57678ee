#pragma once

#include <cuda_runtime_api.h>

#include <string_view>

namespace caravel {

/// Of a device that this build can run on. Throws InvalidArgument where there is no such device, Unsupported where it,
/// its driver or this build do not fit one another; both with the numbers.
cudaDeviceProp cuda_properties(int ordinal);

/// Whether this build has kernels of an architecture, as in "90a".
bool built_for(std::string_view architecture);

}  // namespace caravel
