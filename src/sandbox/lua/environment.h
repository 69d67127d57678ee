#pragma once

#include <lua.hpp>

namespace caravel::sandbox::lua {

/// Pushes a chunk's environment: an own `_G`, own copies of all globals and libraries of the state, and behind them the
/// functions of the library. Whatever a chunk assigns, no other chunk sees it: no table is reached from two of them.
void push_environment(lua_State* L);

/// Pushes the table of the library's functions, which no code can reach as such.
void push_library(lua_State* L);

/// Whether code finds this name without having defined it. Leaves the stack as it is.
bool is_global(lua_State* L, const char* name);

}  // namespace caravel::sandbox::lua
