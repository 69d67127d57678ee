#pragma once

#include <span>

#include "base/embedded_file.h"

namespace caravel::report {

/// Chart.js, page.js and page.css; made by the build.
std::span<const EmbeddedFile> embedded_files();

}  // namespace caravel::report
