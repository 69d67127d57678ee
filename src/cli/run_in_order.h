#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "caravel/engine.h"
#include "cli/interrupt.h"

namespace caravel::cli {

/// Runs requests 0 to count - 1, at most `ahead` (>= 1) of them in the engine at once, and hands their results over in
/// order. Gives how many were handed over: fewer than `count` where it was interrupted. Throws Error with the engine's
/// reason where one fails, and what `send` and `each` throw.
size_t run_in_order(size_t count, size_t ahead, const InterruptGuard& guard,
                    const std::function<std::unique_ptr<RequestHandle>(size_t)>& send,
                    const std::function<void(size_t, const Result&)>& each);

}  // namespace caravel::cli
