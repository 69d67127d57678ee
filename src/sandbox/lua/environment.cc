#include "sandbox/lua/environment.h"

#include <string_view>

namespace caravel::sandbox::lua {
namespace {

constexpr const char* kLibrary = "library";  // of the registry

/// Sets all fields of the table at `from` in the one on top of the stack.
void copy_fields(lua_State* L, int from) {
  for (lua_pushnil(L); lua_next(L, from) != 0;) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
}

}  // namespace

void push_environment(lua_State* L) {
  luaL_checkstack(L, 10, "too many values");
  lua_newtable(L);
  const int environment = lua_gettop(L);
  lua_pushglobaltable(L);
  const int globals = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, globals) != 0;) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    if (lua_type(L, -1) == LUA_TTABLE) {
      const int library = lua_gettop(L);
      lua_newtable(L);
      copy_fields(L, library);
      lua_remove(L, library);
    }
    lua_rawset(L, environment);
  }
  lua_pop(L, 1);
  lua_pushvalue(L, environment);
  lua_setfield(L, environment, LUA_GNAME);
  lua_newtable(L);
  push_library(L);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, environment);
}

void push_library(lua_State* L) { luaL_getsubtable(L, LUA_REGISTRYINDEX, kLibrary); }

bool is_global(lua_State* L, const char* name) {
  const std::string_view text = name;
  if (text == LUA_GNAME || text == "_ENV") return true;
  const bool is_there = lua_getglobal(L, name) != LUA_TNIL;
  lua_pop(L, 1);
  return is_there;
}

}  // namespace caravel::sandbox::lua
