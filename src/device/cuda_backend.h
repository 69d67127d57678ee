#pragma once

#include <memory>
#include <string>

#include "device/device.h"

namespace caravel {

/// What the rest of the tree knows of CUDA; of a build without it too (no_cuda.cc).

/// This build has kernels for GPUs, whether or not there is one.
bool built_with_cuda();

/// Why no CUDA device can be opened here, for people; empty where one can.
std::string why_no_cuda();

inline constexpr int kNewestCapability = 1000;

/// Kernels take forms of GPUs up to compute capability `most_capability` (80 of 8.0), as if this were one: for tests.
/// Throws InvalidArgument where there is no such device, and Unsupported with why_no_cuda().
std::unique_ptr<Device> open_cuda(int ordinal, int most_capability = kNewestCapability);

}  // namespace caravel
