#pragma once

#include <span>

#include "base/embedded_file.h"

namespace caravel::voyager {

/// What is embedded: prompts/*.yaml, one file for each role.
std::span<const EmbeddedFile> embedded_files();

}  // namespace caravel::voyager
