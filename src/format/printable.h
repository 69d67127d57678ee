#pragma once

#include <string>
#include <string_view>

namespace caravel::format {

/// A name out of a file, fit for one line of a message: control characters and the bytes of broken UTF-8 become '?',
/// and "..." stands for what goes on beyond 120 bytes.
std::string printable(std::string_view name);

}  // namespace caravel::format
