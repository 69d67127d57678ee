#pragma once

#include <string_view>

#include "text/jinja/value.h"

namespace caravel::text::jinja {

/// value | name(arguments). nullptr where there is none of the name. Filters throw InvalidArgument where Python would.
Builtin::Function find_filter(std::string_view name);

}  // namespace caravel::text::jinja
