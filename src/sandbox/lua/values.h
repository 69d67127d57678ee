#pragma once

#include <lua.hpp>

#include "sandbox/lua/parent_line.h"

namespace caravel::sandbox::lua {

/// The value at `index` as JSON: a table whose keys are 1 to n as an array (the empty one, too), one whose keys are
/// strings as an object, keys in order. An error of Lua for what JSON has not: functions and the like, numbers that are
/// not finite, other keys, tables in themselves, more than a quarter of a megabyte.
Json json_at(lua_State* L, int index);

/// Pushes one value; null is nil.
void push_json(lua_State* L, const Json& json);

}  // namespace caravel::sandbox::lua
