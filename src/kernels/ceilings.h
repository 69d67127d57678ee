#pragma once

#include "device/device.h"

namespace caravel::kernels {

/// What a device can do at best, all of it together.
struct Ceilings {
  double read_gb_per_second = 0;    // streaming reads of a buffer far larger than the caches
  double int8_gmac_per_second = 0;  // 8-bit multiply-accumulates into 32 bits by vectors, operands in the L1 cache;
                                    // 0 where nothing is computed so
  double int8_tile_gmac_per_second = 0;  // the same by matrix tiles (AMX), operands in them; 0 where there are none
  double f32_gmac_per_second = 0;        // f32 multiply-adds, operands in the L1 cache
};

/// Measures each a few times and keeps the best; takes about a second.
Ceilings measure_ceilings(Device& device);

}  // namespace caravel::kernels
