#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::cli {

// Text of models and worlds in columns of a terminal, which it cannot leave: control characters, broken UTF-8 and marks
// that turn the direction of text show as '?', and a tab as two spaces. Wide characters (East Asian, emoji) have two
// columns, combining ones none; how terminals differ in the rest is not known here.

/// One line in exactly so many columns: cut with an ellipsis, or filled with spaces.
std::string in_columns(std::string_view text, size_t columns);

/// In lines of at most so many columns: broken where it has breaks, at spaces where there are some, and anywhere else.
/// Not filled.
std::vector<std::string> wrapped_lines(std::string_view text, size_t columns);

}  // namespace caravel::cli
