#pragma once

#include <atomic>
#include <functional>

#include "server/metrics/recorder.h"
#include "server/openai/context.h"
#include "server/stall_watch.h"

namespace caravel::server {

/// What the endpoints work with; one for the whole server. Any thread.
struct Services {
  openai::Context context;
  StallWatch stall;
  std::function<metrics::HttpFigures()> http_figures;
  std::function<bool()> draining;  // feeds without an end of their own end then
  std::atomic<int> scores{0};      // that run now: each holds a thread of those that run handlers
};

}  // namespace caravel::server
