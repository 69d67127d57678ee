#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace caravel {

/// Insertions, deletions and replacements of bytes, and swaps of two neighbours, that make one of the other; upper and
/// lower case are one.
size_t edit_distance(std::string_view a, std::string_view b);

/// The one of `names` that was meant by `name`, which is none of them: the nearest (a third of the longer's bytes may
/// differ, and three at most), else the only one that begins with it. Empty: none is near enough.
std::string near_miss(std::string_view name, const std::vector<std::string>& names);

}  // namespace caravel
