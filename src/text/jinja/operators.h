#pragma once

#include "text/jinja/ast.h"
#include "text/jinja/value.h"

namespace caravel::text::jinja {

/// Python's operators. All throw InvalidArgument where Python would raise, and where an int passes 63 bits.

Value apply_binary(BinaryOperator op, const Value& left, const Value& right, Budget& budget);
Value apply_negate(const Value& operand);

bool equals(const Value& left, const Value& right, Budget& budget);
/// left < right, for two numbers, two strings or two sequences of one kind.
bool less(const Value& left, const Value& right, Budget& budget);
bool contains(const Value& container, const Value& item, Budget& budget);
bool apply_comparison(Comparison comparison, const Value& left, const Value& right, Budget& budget);

/// object[start:stop:step]; bounds are ints or None.
Value apply_slice(const Value& object, const Value& start, const Value& stop, const Value& step, Budget& budget);

/// Python's concatenation of strings and lists.
Value add(const Value& left, const Value& right, Budget& budget);

/// Where `needle` starts in `text` at or after `from`, or npos; linear whatever the strings.
size_t find_text(std::string_view text, std::string_view needle, size_t from = 0);

}  // namespace caravel::text::jinja
