#pragma once

#include <cstdint>

#include "base/philox.h"

namespace caravel::voyager {

/// What an agent draws lots for. A draw is a function of the run's seed, of this and of a place: it needs no state.
enum class Draw : uint32_t { kShownParts, kItem };

/// Uniform in [0, 1).
inline double draw(uint64_t seed, Draw what, uint64_t place) {
  return uniform(seed, static_cast<uint32_t>(what), place);
}

}  // namespace caravel::voyager
