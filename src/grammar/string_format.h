#pragma once

#include <memory>
#include <string_view>

#include "grammar/fsm.h"

namespace caravel::grammar {

/// The texts of a JSON Schema `format`, as a machine: never more than the format allows, sometimes less (years 1000 to
/// 2999, hostnames of up to 63 characters, ASCII in the internationalised ones). nullptr: unknown, or not enforceable.
std::shared_ptr<const Fsm> string_format(std::string_view name);

}  // namespace caravel::grammar
