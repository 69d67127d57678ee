#pragma once

#include <lua.hpp>

namespace caravel::sandbox::lua {

/// Opens what code may use: base, string, table, math, utf8 and coroutine, without what loads code or files, writes to
/// descriptors, collects garbage, calls back when an object is freed, or tells addresses; `math.random` draws from the
/// session's seed, and functions that work through a string or table are charged for it.
void open_libraries(lua_State* L);

}  // namespace caravel::sandbox::lua
