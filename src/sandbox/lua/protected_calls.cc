#include "sandbox/lua/protected_calls.h"

#include "sandbox/lua/session.h"

namespace caravel::sandbox::lua {
namespace {

/// Gives all above the first `hidden` values: true and the function's results. Also where a coroutine inside has
/// yielded and goes on.
int finish_call(lua_State* L, int status, lua_KContext hidden) {
  end_if_full(L, status);
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - static_cast<int>(hidden);
  charge(L, kErrorPrice);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

}  // namespace

int call_protected(lua_State* L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);  // the first result
  lua_insert(L, 1);
  const int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_call);
  return finish_call(L, status, 0);
}

int call_protected_with_handler(lua_State* L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  const int count = lua_gettop(L) - 2;
  lua_pushboolean(L, 1);  // the first result
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2);
  const int status = lua_pcallk(L, count, LUA_MULTRET, 2, 2, finish_call);
  return finish_call(L, status, 2);
}

}  // namespace caravel::sandbox::lua
