#pragma once

#include <cstdint>

#include "device/device.h"
#include "kernels/packed_weight.h"

namespace caravel::model {

/// A region of the profile that is this weight's GEMM.
inline void gemm_region(Stream& stream, const char* name, const kernels::PackedWeight& weight, int64_t tokens) {
  const auto macs = static_cast<double>(weight.in()) * static_cast<double>(weight.out());
  stream.region(name, static_cast<double>(weight.bytes()), macs * static_cast<double>(tokens));
}

}  // namespace caravel::model
