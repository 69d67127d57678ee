#pragma once

#include <lua.hpp>

namespace caravel::sandbox::lua {

/// pairs() and next() in the order of the keys: numbers, strings by their bytes, false, true. Lua's own order changes
/// with addresses and the time of day. An error of Lua where a key is a table, a function or a coroutine: these have no
/// order that a second run would find again.
int ordered_pairs(lua_State* L);
int ordered_next(lua_State* L);

}  // namespace caravel::sandbox::lua
