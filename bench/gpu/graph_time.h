#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>

#include "device/device.h"

namespace caravel::kernels {

/// Seconds of one of `count` parts of what is enqueued: the best of some replays, of several graphs each.
template <typename Enqueue>
double graph_seconds(Stream& stream, size_t count, const Enqueue& enqueue_all) {
  using Clock = std::chrono::steady_clock;
  stream.begin_capture();
  enqueue_all();
  const std::unique_ptr<CommandList> graph = stream.end_capture();
  constexpr int kGraphs = 8;
  double best = 1e30;
  for (int repeat = 0; repeat < 6; ++repeat) {
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < kGraphs; ++i) stream.run(*graph);
    stream.synchronize();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (repeat > 0) best = std::min(best, seconds / kGraphs / static_cast<double>(count));
  }
  return best;
}

}  // namespace caravel::kernels
