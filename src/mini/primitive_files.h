#pragma once

#include <span>

#include "base/embedded_file.h"

namespace caravel::mini {

/// What is embedded: primitives/NAME.lua, by name.
std::span<const EmbeddedFile> embedded_files();

}  // namespace caravel::mini
