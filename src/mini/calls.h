#pragma once

#include <string_view>

#include "fields/json.h"
#include "mini/game.h"

namespace caravel::mini {

class Arguments;

/// The player's calls: those that look take no ticks, those that act may. The value. Throws Refused.
using Call = Json (*)(Game&, const Arguments&);
struct NamedCall {
  std::string_view name;
  Call call;
};
/// Nothing where there is no call of that name.
Call look_named(std::string_view name);
Call act_named(std::string_view name);

/// {"x": ..., "y": ..., "z": ...}
Json to_json(const Cell& cell);
/// {name: how many}, by name.
Json to_json(const Inventory& items);

}  // namespace caravel::mini
