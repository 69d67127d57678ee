#pragma once

#include <cstddef>

#include "device/device.h"

namespace caravel::kernels::cuda {

/// Copies within a device's memory as a slow kernel does: it lets the one after it come in at once, then sleeps, and
/// only then writes. `bytes` is a multiple of 4.
void late_copy(Stream& stream, void* to, const void* from, size_t bytes);

}  // namespace caravel::kernels::cuda
