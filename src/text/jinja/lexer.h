#pragma once

#include <string_view>
#include <vector>

#include "text/jinja/token.h"

namespace caravel::text::jinja {

/// Splits a template into text and the tokens of its tags. Whitespace control is done here: trim_blocks and
/// lstrip_blocks are on, as `transformers` sets them; `-` strips, `+` keeps; one newline at the very end is dropped.
/// Ends with a kEnd token. Throws FormatError with the line.
std::vector<Token> tokenize(std::string_view source);

}  // namespace caravel::text::jinja
