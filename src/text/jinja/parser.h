#pragma once

#include <string_view>

#include "text/jinja/ast.h"

namespace caravel::text::jinja {

/// How deep expressions and blocks may nest.
inline constexpr int kMaxParseDepth = 150;

/// Throws FormatError (a syntax error) and Unsupported (a statement, filter or test outside the language's used part,
/// by name), both with the line.
Body parse(std::string_view source);

}  // namespace caravel::text::jinja
