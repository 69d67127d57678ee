#include "sandbox/lua/player.h"

#include <string>

#include "base/near_miss.h"
#include "sandbox/lua/session.h"
#include "sandbox/lua/texts.h"
#include "sandbox/lua/values.h"

namespace caravel::sandbox::lua {
namespace {

/// Pushes the answer.
int ask(lua_State* L, const std::string& name, Json::array_t arguments) {
  Session& session = session_of(L);
  if (!session.may_act)
    return luaL_error(L, "nothing is done while the code is loaded: do it in the function that takes the player");
  session.parent.write({{"call", name}, {"args", std::move(arguments)}});
  const Json answer = session.parent.read();
  if (answer.contains("end")) end_run(session, answer.value("end", ""));
  if (answer.contains("error")) {
    lua_pushnil(L);
    const std::string why = answer.value("error", "");
    lua_pushlstring(L, why.data(), why.size());
    return 2;
  }
  push_json(L, answer.value("value", Json()));
  return 1;
}

/// Upvalues: the name, the player.
int call_method(lua_State* L) {
  const std::string name = lua_tostring(L, lua_upvalueindex(1));
  if (lua_rawequal(L, 1, lua_upvalueindex(2)) == 0)
    return luaL_error(L, "%s is a method: write bot:%s(...), with a colon", name.c_str(), name.c_str());
  Json::array_t arguments;
  for (int i = 2; i <= lua_gettop(L); ++i) arguments.push_back(json_at(L, i));
  return ask(L, name, std::move(arguments));
}

int tell_of_no_method(lua_State* L) {
  const std::string name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
  const std::string near = near_miss(name, session_of(L).calls);
  const std::string hint = near.empty() ? "" : "; there is " + near;
  return luaL_error(L, "the player has no method %s%s", name.c_str(), hint.c_str());
}

int refuse_field(lua_State* L) {
  return luaL_error(L, "the player takes no fields: keep things in a table of your own");
}

int print(lua_State* L) {
  std::string text;
  for (int i = 1; i <= lua_gettop(L); ++i) {
    push_text(L, i);
    size_t length = 0;
    const char* const bytes = lua_tolstring(L, -1, &length);
    if (i > 1) text += ' ';
    text.append(bytes, length);
    lua_pop(L, 1);
  }
  lua_pushlstring(L, text.data(), text.size());
  Json::array_t arguments = {json_at(L, -1)};
  ask(L, "chat", std::move(arguments));
  return 0;
}

}  // namespace

void push_player(lua_State* L) {
  lua_newuserdatauv(L, 0, 0);
  const int player = lua_gettop(L);
  lua_newtable(L);
  for (const std::string& name : session_of(L).calls) {
    lua_pushlstring(L, name.data(), name.size());
    lua_pushvalue(L, player);
    lua_pushcclosure(L, call_method, 2);
    lua_setfield(L, -2, name.c_str());
  }
  lua_newtable(L);
  lua_pushcfunction(L, tell_of_no_method);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lua_insert(L, -2);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, refuse_field);
  lua_setfield(L, -2, "__newindex");
  lua_pushliteral(L, "player");
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_pushcfunction(L, print);
  lua_setglobal(L, "print");
}

}  // namespace caravel::sandbox::lua
