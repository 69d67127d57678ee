#pragma once

#include <lua.hpp>

namespace caravel::sandbox::lua {

/// coroutine.create, resume and wrap as Lua's own, but that all coroutines draw on the session's one count of
/// instructions, and that the session knows which runs. An error that comes out of wrap's function is the coroutine's
/// own, as it was raised.
int create_coroutine(lua_State* L);
int resume_coroutine(lua_State* L);
int wrap_coroutine(lua_State* L);

}  // namespace caravel::sandbox::lua
