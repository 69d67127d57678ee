#pragma once

#include <memory>

#include "text/jinja/ast.h"
#include "text/jinja/scope.h"

namespace caravel::text::jinja {

/// A macro, or the body of a call block, with the scope that it was defined in.
struct Macro {
  const MacroDefinition* definition;  // the template's
  std::shared_ptr<Scope> scope;
};

}  // namespace caravel::text::jinja
