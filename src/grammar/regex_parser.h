#pragma once

#include <string_view>

#include "grammar/expr.h"

namespace caravel::grammar {

/// A regular expression over characters, as ECMAScript reads it with its flag u: classes, \d \w \s \p{...} and
/// their complements, escapes, groups, alternation, greedy and lazy quantifiers (the same here), and the anchors ^ and
/// $. `.` is all but line ends. Look-ahead is taken where it stands outside of groups. Throws InvalidArgument
/// (malformed, with the place), Unsupported (other look-around, back-references, \b, flags, properties that
/// unicode_property.h does not list: by name).
ExprPtr parse_regex(std::string_view pattern);

/// The texts in which `pattern` occurs somewhere, as JSON Schema understands it.
ExprPtr parse_regex_search(std::string_view pattern);

}  // namespace caravel::grammar
