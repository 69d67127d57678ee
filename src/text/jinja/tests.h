#pragma once

#include <string_view>

#include "text/jinja/value.h"

namespace caravel::text::jinja {

using TestFunction = bool (*)(Interpreter&, const Value& operand, const Arguments&);

/// value is name(arguments). nullptr where there is none of the name.
TestFunction find_test(std::string_view name);

}  // namespace caravel::text::jinja
