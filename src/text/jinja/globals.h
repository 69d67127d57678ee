#pragma once

#include "text/jinja/interpreter.h"

namespace caravel::text::jinja {

/// range, namespace, raise_exception and strftime_now.
void set_globals(Interpreter& interpreter);

}  // namespace caravel::text::jinja
