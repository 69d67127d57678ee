#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <functional>

#include "base/clock.h"
#include "device/cpu/cpu_device.h"
#include "device/device_array.h"
#include "kernels/ceilings.h"

namespace caravel::kernels {

/// Times `body`, which must leave its work done, on `device`, and reports the best repeat's rates beside the machine's
/// ceilings. bytes: what a repeat must read or write at the least; macs: its multiply-adds, 0 where they do not count;
/// peak: which of the machine's they are held against.
inline void time_op(benchmark::State& state, Device& device, double bytes, double macs,
                    const std::function<void()>& body, double Ceilings::*peak = &Ceilings::f32_gmac_per_second) {
  static const Ceilings kCeilings = measure_ceilings(device);
  double best = 1e30;
  for (auto _ : state) {
    const Clock::time_point start = Clock::now();
    body();
    best = std::min(best, seconds_since(start));
  }
  state.counters["GB/s"] = bytes / 1e9 / best;
  state.counters["%read"] = 100 * bytes / 1e9 / best / kCeilings.read_gb_per_second;
  if (macs > 0) {
    state.counters["GMAC/s"] = macs / 1e9 / best;
    state.counters["%peak"] = 100 * macs / 1e9 / best / kCeilings.*peak;
  }
  state.counters["best_us"] = 1e6 * best;
}

}  // namespace caravel::kernels
