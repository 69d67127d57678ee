#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/packed_weight.h"

namespace caravel::kernels {

/// The parts that pack_weight() makes of each expert's matrices, one after the other in `bytes` of memory; those of all
/// `experts` are in `stacked`. `packed_bytes` is the device's. Throws as pack_weight() does.
std::vector<PackedWeight::Part> stack_parts(std::span<const WeightRows> stacked, int64_t in,
                                            size_t (*packed_bytes)(DType dtype, int64_t rows, int64_t in), int experts,
                                            size_t& bytes);

}  // namespace caravel::kernels
