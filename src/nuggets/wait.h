#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"
#include "base/error.h"
#include "caravel/engine.h"

namespace caravel::nuggets {

/// Until the request has ended, or `stop` is set: false. Throws Error with the engine's reason where it failed.
inline bool wait_for(RequestHandle& request, const std::atomic<bool>& stop) {
  while (!stop.load()) {
    if (!request.next(Clock::now() + std::chrono::milliseconds(100)).ended()) continue;
    if (!request.result().error.empty()) throw fail<Error>("{}", request.result().error);
    return true;
  }
  return false;
}

}  // namespace caravel::nuggets
