#pragma once

#include <cstdint>

#include "kernels/cpu/packed_layout.h"
#include "kernels/packed_weight.h"

namespace caravel::kernels {

/// What the per-ISA sources get of a weight: plain pointers and numbers, since they may call no inline function of
/// another header.
struct PackedPart {
  const uint8_t* panels;  // they hold `rows`, the last one padded
  int64_t panel_bytes;
  DType dtype;
  int64_t out_begin;
  int64_t rows;
};

inline PackedPart packed_part(const PackedWeight& weight, const PackedWeight::Part& part) {
  return {reinterpret_cast<const uint8_t*>(weight.data() + part.offset), panel_bytes(part.dtype, weight.in()),
          part.dtype, part.out_begin, part.rows};
}

}  // namespace caravel::kernels
