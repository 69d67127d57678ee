#pragma once

#include <string>
#include <string_view>

namespace caravel::format {

/// A name out of a file, fit for one line of a message: control characters and broken UTF-8 become '?', what goes on
/// beyond 120 bytes "...".
std::string printable(std::string_view name);

/// Whether every byte belongs to a well-formed UTF-8 sequence (no surrogates, nothing above U+10FFFF).
bool is_utf8(std::string_view text);

}  // namespace caravel::format
