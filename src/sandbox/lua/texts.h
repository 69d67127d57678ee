#pragma once

#include <lua.hpp>

namespace caravel::sandbox::lua {

/// Pushes what tostring() gives: as Lua's own, but "table: 1" and so on in the order in which such values were first
/// written, where that has addresses.
void push_text(lua_State* L, int index);

/// tostring(), and string.format(), whose %s writes the same.
int text_of(lua_State* L);
int format_text(lua_State* L);

}  // namespace caravel::sandbox::lua
