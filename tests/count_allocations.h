#pragma once

#include <cstdint>

namespace caravel {

/// Calls of operator new so far, by all threads of a test program that is linked with count_allocations.cc.
int64_t allocations();

}  // namespace caravel
