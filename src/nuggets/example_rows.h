#pragma once

#include <span>
#include <string_view>

#include "base/embedded_file.h"

namespace caravel::nuggets {

/// What is embedded: examples/instructions.json.
std::span<const EmbeddedFile> embedded_files();

/// 200 rows in Alpaca's form, to try things on.
inline std::string_view example_rows() { return embedded_files().front().bytes; }

}  // namespace caravel::nuggets
