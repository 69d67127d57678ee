#pragma once

#include <string>

#include "minecraft/installation.h"
#include "voyager/environment.h"

namespace caravel::minecraft {

/// What a run is told of this world; `name` is that of --world, `clock` its seconds to one of ours. Throws IoError
/// where a primitive's file cannot be read.
voyager::WorldDescription describe(const Installation& installation, const std::string& name, double clock);

}  // namespace caravel::minecraft
