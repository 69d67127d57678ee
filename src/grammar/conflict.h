#pragma once

#include <vector>

#include "grammar/expr.h"

namespace caravel::grammar {

/// Throws InvalidArgument: nothing can match the grammar, and which schema in it, the innermost, is the reason; a
/// SchemaError for a schema that the grammar embeds. live: the rules that something matches.
[[noreturn]] void throw_conflict(const Grammar& grammar, const std::vector<bool>& live);

}  // namespace caravel::grammar
