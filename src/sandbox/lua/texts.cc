#include "sandbox/lua/texts.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "sandbox/lua/session.h"

namespace caravel::sandbox::lua {
namespace {

/// Pushes a registry's table whose keys do not keep their objects.
void push_numbers(lua_State* L) {
  static const char kKey = 0;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kKey) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_newtable(L);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &kKey);
}

/// From 1, in the order in which it is asked for them; the last one stands under 0.
lua_Integer number_of(lua_State* L, int index) {
  push_numbers(L);
  lua_pushvalue(L, index);
  if (lua_rawget(L, -2) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_rawgeti(L, -1, 0);
    const lua_Integer number = lua_tointeger(L, -1) + 1;
    lua_pop(L, 1);
    lua_pushinteger(L, number);
    lua_rawseti(L, -2, 0);
    lua_pushvalue(L, index);
    lua_pushinteger(L, number);
    lua_rawset(L, -3);
    lua_pushinteger(L, number);
  }
  const lua_Integer number = lua_tointeger(L, -1);
  lua_pop(L, 2);
  return number;
}

bool has_address(int type) {
  return type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TTHREAD || type == LUA_TUSERDATA;
}

}  // namespace

void push_text(lua_State* L, int index) {
  index = lua_absindex(L, index);
  luaL_checkstack(L, 8, "too many values");
  if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
    lua_pushvalue(L, index);
    lua_call(L, 1, 1);
    if (lua_isstring(L, -1) == 0) luaL_error(L, "'__tostring' must return a string");
    return;
  }
  if (!has_address(lua_type(L, index))) {
    luaL_tolstring(L, index, nullptr);
    return;
  }
  const lua_Integer number = number_of(L, index);
  const int name = luaL_getmetafield(L, index, "__name");
  lua_pushfstring(L, "%s: %I", name == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, index),
                  static_cast<LUAI_UACINT>(number));
  if (name != LUA_TNIL) lua_remove(L, -2);
}

int text_of(lua_State* L) {
  luaL_checkany(L, 1);
  push_text(L, 1);
  return 1;
}

int format_text(lua_State* L) {
  size_t length = 0;
  const char* const bytes = luaL_checklstring(L, 1, &length);
  const std::string_view format(bytes, length);
  for (size_t at = format.find('%'); at != std::string_view::npos; at = format.find('%', at + 1)) {
    at = std::min(format.find_first_not_of("-+ #0123456789.", at + 1), length);
    if (at < length && format[at] == 'p') luaL_error(L, "there are no addresses here: use %%s in place of %%p");
  }
  for (int i = 2; i <= lua_gettop(L); ++i) {
    if (!has_address(lua_type(L, i))) continue;
    push_text(L, i);
    lua_replace(L, i);
  }
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

}  // namespace caravel::sandbox::lua
