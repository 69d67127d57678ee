#pragma once

#include <cstdint>

#include "mini/chunk.h"

namespace caravel::mini {

/// Puts veins into the stone of a chunk, each within it: ores by depth, and other rock.
void lay_ores(uint64_t seed, int chunk_x, int chunk_z, Chunk& chunk);

}  // namespace caravel::mini
