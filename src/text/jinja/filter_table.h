#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "text/jinja/interpreter.h"

namespace caravel::text::jinja {

using NamedFunction = std::pair<std::string_view, Builtin::Function>;

std::span<const NamedFunction> text_filters();
std::span<const NamedFunction> value_filters();
std::span<const NamedFunction> sequence_filters();
std::span<const NamedFunction> selection_filters();

/// nullptr where the table has no such name.
Builtin::Function find_function(std::span<const NamedFunction> table, std::string_view name);

/// Reads one value of an item for `attribute=`: "a.b.0" steps down by names and indices, an int is an index; absent
/// gives the item itself.
Value read_attribute(Interpreter& interpreter, const Value& item, const Value* attribute);

}  // namespace caravel::text::jinja
