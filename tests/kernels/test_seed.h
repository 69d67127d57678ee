#pragma once

#include <cstdlib>

namespace caravel::kernels {

/// Added to the seeds of all random values: the environment's CARAVEL_TEST_SEED, or 0. The same tests check others so.
inline unsigned test_seed() {
  const char* const seed = std::getenv("CARAVEL_TEST_SEED");
  return seed == nullptr ? 0 : static_cast<unsigned>(std::strtoul(seed, nullptr, 10));
}

}  // namespace caravel::kernels
