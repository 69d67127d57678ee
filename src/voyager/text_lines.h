#pragma once

#include <string_view>
#include <vector>

namespace caravel::voyager {

bool is_space(char c);
/// Without white space at its ends.
std::string_view trimmed(std::string_view text);
/// Without their ends.
std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace caravel::voyager
