#pragma once

#include <string_view>

#include "text/jinja/value.h"

namespace caravel::text::jinja {

/// The method `name` of the object's type, bound to it; undefined where there is none. One that would change the object
/// is undefined too, and says so when it is used.
Value find_method(const Value& object, std::string_view name);

/// The method `name` of strings; nullptr where there is none.
Builtin::Function find_string_method(std::string_view name);

}  // namespace caravel::text::jinja
