#include "sandbox/lua/coroutines.h"

#include "sandbox/lua/session.h"

namespace caravel::sandbox::lua {
namespace {

/// The hook counts within each coroutine by itself, up to a thousand: a short one would come for nothing.
constexpr int64_t kPrice = 1000;

lua_State* push_coroutine(lua_State* L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  charge(L, kPrice);
  lua_State* const coroutine = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, coroutine, 1);
  return coroutine;
}

/// With the `count` values on top of L's stack, which it takes. How many values, or -1 and an error's, lie there then.
int resume(lua_State* L, lua_State* coroutine, int count) {
  if (lua_checkstack(coroutine, count) == 0) {
    lua_pop(L, count);
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, coroutine, count);
  Session& session = session_of(L);
  session.running.push_back(coroutine);
  int results = 0;
  const int status = lua_resume(coroutine, L, count, &results);
  session.running.pop_back();
  end_if_full(L, status);
  if (status != LUA_OK && status != LUA_YIELD) {
    charge(L, kErrorPrice);
    lua_xmove(coroutine, L, 1);
    return -1;
  }
  if (lua_checkstack(L, results + 1) == 0) {
    lua_pop(coroutine, results);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(coroutine, L, results);
  return results;
}

/// Upvalue: the coroutine.
int call_wrapped(lua_State* L) {
  lua_State* const coroutine = lua_tothread(L, lua_upvalueindex(1));
  const int results = resume(L, coroutine, lua_gettop(L));
  if (results >= 0) return results;
  const int state = lua_status(coroutine);
  if (state != LUA_OK && state != LUA_YIELD) lua_resetthread(coroutine);  // its variables that are to be closed
  return lua_error(L);
}

}  // namespace

int create_coroutine(lua_State* L) {
  push_coroutine(L);
  return 1;
}

int wrap_coroutine(lua_State* L) {
  push_coroutine(L);
  lua_pushcclosure(L, call_wrapped, 1);
  return 1;
}

int resume_coroutine(lua_State* L) {
  lua_State* const coroutine = lua_tothread(L, 1);
  if (coroutine == nullptr) return luaL_typeerror(L, 1, "coroutine");
  const int results = resume(L, coroutine, lua_gettop(L) - 1);
  if (results < 0) {
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
  }
  lua_pushboolean(L, 1);
  lua_insert(L, -(results + 1));
  return results + 1;
}

}  // namespace caravel::sandbox::lua
