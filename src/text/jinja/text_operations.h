#pragma once

#include <string>
#include <string_view>

#include "text/jinja/interpreter.h"

namespace caravel::text::jinja {

/// What string methods and filters share. All keep to the budget.

/// `chars` is nullptr or None for whitespace.
std::string stripped(Interpreter& interpreter, std::string_view text, const Value* chars, bool left, bool right);
/// At most `limit` times; any number where negative.
std::string replaced(Budget& budget, std::string_view text, std::string_view from, std::string_view to, int64_t limit);
std::string spaces(Budget& budget, int64_t width);
/// `fill` is one character.
std::string padded(Budget& budget, std::string_view text, int64_t left, int64_t right, std::string_view fill);
/// str(separator).join(items), where the items are strings.
std::string joined(Budget& budget, std::string_view separator, const std::vector<std::string>& items);

}  // namespace caravel::text::jinja
