#pragma once

#include <lua.hpp>

namespace caravel::sandbox::lua {

/// Pushes the player: an object with a method for each of the session's calls, which asks the parent and gives the
/// value, or nil and why not, and takes no fields of its own. Sets print(), which says its arguments by the call
/// "chat".
void push_player(lua_State* L);

}  // namespace caravel::sandbox::lua
