#pragma once

#include "text/jinja/arguments.h"
#include "text/jinja/value.h"

namespace caravel::text::jinja {

/// "..." % arguments: Python's printf-style formatting. Throws InvalidArgument.
Value format_percent(const Value& format, const Value& arguments, Budget& budget);

/// "...".format(arguments): fields by position and name, conversions and format specs. Throws InvalidArgument.
std::string format_braces(Interpreter& interpreter, std::string_view format, const Arguments& arguments);

}  // namespace caravel::text::jinja
