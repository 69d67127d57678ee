#pragma once

#include <nlohmann/json.hpp>

#include "text/jinja/value.h"

namespace caravel::text::jinja {

/// Throws CapacityError where it nests deeper than kMaxValueHeight.
Value from_json(const nlohmann::ordered_json& json);

}  // namespace caravel::text::jinja
