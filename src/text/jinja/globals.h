#pragma once

#include "text/jinja/interpreter.h"

namespace caravel::text::jinja {

/// range, dict, namespace, cycler, joiner, raise_exception and strftime_now.
void set_globals(Interpreter& interpreter);

}  // namespace caravel::text::jinja
