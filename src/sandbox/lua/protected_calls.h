#pragma once

#include <lua.hpp>

namespace caravel::sandbox::lua {

/// pcall() and xpcall() as Lua's own, but that a want of memory ends the run.
int call_protected(lua_State* L);
int call_protected_with_handler(lua_State* L);

}  // namespace caravel::sandbox::lua
