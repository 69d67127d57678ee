#include "sandbox/lua/libraries.h"

#include <algorithm>
#include <cstdint>

#include "sandbox/lua/coroutines.h"
#include "sandbox/lua/order.h"
#include "sandbox/lua/protected_calls.h"
#include "sandbox/lua/session.h"
#include "sandbox/lua/texts.h"

namespace caravel::sandbox::lua {
namespace {

constexpr int64_t kElementsPerInstruction = 2;

/// Upvalue: a function of Lua's own, which takes its arguments from the same stack and so names itself in its errors as
/// before.
int call_charged(lua_State* L) {
  int64_t bytes = 0;
  int64_t elements = 0;
  for (int i = 1; i <= lua_gettop(L); ++i) {
    const auto length = static_cast<int64_t>(std::min<lua_Unsigned>(lua_rawlen(L, i), INT32_MAX));
    (lua_type(L, i) == LUA_TTABLE ? elements : bytes) += length;
  }
  charge(L, bytes / kBytesPerInstruction + elements / kElementsPerInstruction);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

int repeat_string(lua_State* L) {
  const auto length = static_cast<double>(lua_rawlen(L, 1) + lua_rawlen(L, 3));
  const double bytes = length * static_cast<double>(std::max<lua_Integer>(lua_tointeger(L, 2), 0));
  charge(L, static_cast<int64_t>(std::min(bytes, 1e15)) / kBytesPerInstruction);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/// From the second argument to the third; where these are left out, the whole table. More than kMost are refused at
/// once.
template <int64_t kMost>
int go_through_range(lua_State* L) {
  const lua_Integer first = luaL_optinteger(L, 2, 1);
  const lua_Integer last = lua_isnoneornil(L, 3) ? static_cast<lua_Integer>(lua_rawlen(L, 1)) : luaL_checkinteger(L, 3);
  if (last > first) {
    const uint64_t elements = static_cast<uint64_t>(last) - static_cast<uint64_t>(first);
    charge(L, static_cast<int64_t>(std::min<uint64_t>(elements, kMost)) / kElementsPerInstruction);
  }
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/// Finalizers run where no hook sees them.
int set_metatable(lua_State* L) {
  if (lua_type(L, 2) == LUA_TTABLE) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL) return luaL_error(L, "there is no __gc here");
    lua_pop(L, 1);
  }
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/// Without a number, Lua's own takes the time.
int seed_random(lua_State* L) {
  if (lua_gettop(L) == 0) lua_pushinteger(L, static_cast<lua_Integer>(session_of(L).seed));
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 0);
  return 0;
}

/// In place of the field of the table on top of the stack, which becomes the function's upvalue.
void wrap(lua_State* L, const char* name, lua_CFunction function) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, function, 1);
  lua_setfield(L, -2, name);
}

void set(lua_State* L, const char* name, lua_CFunction function) {
  lua_pushcfunction(L, function);
  lua_setfield(L, -2, name);
}

void remove(lua_State* L, const char* name) {
  lua_pushnil(L);
  lua_setfield(L, -2, name);
}

void open_base(lua_State* L) {
  luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
  for (const char* const name : {"collectgarbage", "dofile", "load", "loadfile", "print", "warn"}) remove(L, name);
  set(L, "pairs", ordered_pairs);
  set(L, "next", ordered_next);
  set(L, "pcall", call_protected);
  set(L, "xpcall", call_protected_with_handler);
  set(L, "tostring", text_of);
  wrap(L, "setmetatable", set_metatable);
  lua_pop(L, 1);
}

void open_string(lua_State* L) {
  luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
  remove(L, "dump");
  for (const char* const name : {"byte", "find", "gmatch", "gsub", "len", "lower", "match", "reverse", "upper"})
    wrap(L, name, call_charged);
  wrap(L, "rep", repeat_string);
  wrap(L, "format", format_text);
  lua_pop(L, 1);
  // Strings share one metatable: it is not to be reached by getmetatable("").
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 2);
}

void open_table(lua_State* L) {
  luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 1);
  for (const char* const name : {"concat", "insert", "remove", "sort"}) wrap(L, name, call_charged);
  wrap(L, "move", go_through_range<INT64_MAX>);
  wrap(L, "unpack", go_through_range<LUAI_MAXSTACK>);
  lua_pop(L, 1);
}

void open_utf8(lua_State* L) {
  luaL_requiref(L, LUA_UTF8LIBNAME, luaopen_utf8, 1);
  for (const char* const name : {"codepoint", "len", "offset"}) wrap(L, name, call_charged);
  lua_pop(L, 1);
}

void open_math(lua_State* L) {
  luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
  wrap(L, "randomseed", seed_random);
  lua_getfield(L, -1, "randomseed");
  lua_call(L, 0, 0);
  lua_pop(L, 1);
}

void open_coroutine(lua_State* L) {
  luaL_requiref(L, LUA_COLIBNAME, luaopen_coroutine, 1);
  set(L, "create", create_coroutine);
  set(L, "resume", resume_coroutine);
  set(L, "wrap", wrap_coroutine);
  lua_pop(L, 1);
}

}  // namespace

void open_libraries(lua_State* L) {
  open_base(L);
  open_string(L);
  open_table(L);
  open_math(L);
  open_utf8(L);
  open_coroutine(L);
}

}  // namespace caravel::sandbox::lua
