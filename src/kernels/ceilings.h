#pragma once

#include <string>
#include <vector>

#include "device/device.h"

namespace caravel::kernels {

/// What a device can do at best, all of it together.
struct Ceilings {
  double read_gb_per_second = 0;    // streaming reads of a buffer far larger than the caches
  double int8_gmac_per_second = 0;  // 8-bit multiply-accumulates into 32 bits by vectors, operands in the L1 cache;
                                    // 0 where nothing is computed so
  double int8_tile_gmac_per_second = 0;  // the same by matrix tiles (AMX), operands in them; 0 where there are none
  double bf16_gmac_per_second = 0;       // bf16 multiply-accumulates into f32 by tensor cores, operands in shared
                                         // memory or registers; 0 where there are none
  double f32_gmac_per_second = 0;        // f32 multiply-adds, operands in the L1 cache or in registers
};

/// Measures each a few times and keeps the best; takes about a second.
Ceilings measure_ceilings(Device& device);

/// A cache, a memory or a link to one, as programs meet it. What was not measured is 0.
struct MemoryLevel {
  std::string name;
  double bytes = 0;               // all units together; of a link 0
  double read_gb_per_second = 0;  // all processors together; where each has one of its own, all these together
  double latency_ns = 0;          // from an address to what lies there, one load after another
};

/// The levels of the device's memory, from the nearest on, and its link to the host where it has one. `ceilings` are
/// the device's: the read bandwidth of its own memory is theirs. Takes one to three seconds, and up to 1 GiB.
std::vector<MemoryLevel> measure_memory(Device& device, const Ceilings& ceilings);

}  // namespace caravel::kernels
