#pragma once

#include <string_view>
#include <vector>

#include "grammar/expr.h"

namespace caravel::grammar {

/// The characters of \p{property} as ECMAScript reads it with its flag u, of Unicode 16: a general category ("Lu",
/// "Letter", "gc=Lu", "General_Category=Letter"), a script ("Script=Han", "sc=Han"; "Han" alone is taken too, as other
/// engines have it), or one of Any, ASCII, Assigned, Alphabetic, Lowercase, Uppercase and White_Space. Case, '_', '-'
/// and blanks in names do not count. Throws Unsupported for all others, by name.
std::vector<CharRange> unicode_property(std::string_view property);

}  // namespace caravel::grammar
