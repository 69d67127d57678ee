#include "sandbox/lua/program.h"

#include <utility>

#include "base/error.h"
#include "sandbox/lua/code_scan.h"
#include "sandbox/lua/environment.h"
#include "sandbox/lua/frames.h"
#include "sandbox/lua/player.h"
#include "sandbox/lua/texts.h"

namespace caravel::sandbox::lua {
namespace {

constexpr const char* kPlayer = "bot";
constexpr size_t kNameBytes = 64;
constexpr const char* kFailure = "failure";  // of the registry: what on_error() made

int call_text_of(lua_State* L) { return text_of(L); }

/// What the error's value says. It may be an object with code of its own, which may fail in turn.
std::string message_of(lua_State* L, int index) {
  const int type = lua_type(L, index);
  const bool says = type == LUA_TSTRING || type == LUA_TNUMBER || luaL_getmetafield(L, index, "__tostring") != LUA_TNIL;
  if (says) {
    lua_pushcfunction(L, call_text_of);
    lua_pushvalue(L, index);
    const int status = lua_pcall(L, 1, 1, 0);
    end_if_full(L, status);
    if (status == LUA_OK) {
      size_t length = 0;
      const char* const bytes = lua_tolstring(L, -1, &length);
      return {bytes, length};
    }
  }
  return fmt::format("an error was raised that is a {} and no text", luaL_typename(L, index));
}

/// Runs where the error was raised: the calls that led there still stand.
int on_error(lua_State* L) {
  const Session& session = session_of(L);
  const std::string text =
      failure(session, message_of(L, 1), false).dump(-1, ' ', false, Json::error_handler_t::replace);
  lua_pushlstring(L, text.data(), text.size());
  lua_setfield(L, LUA_REGISTRYINDEX, kFailure);
  return 0;
}

/// Calls the function below `count` arguments. Nothing: it ended without an error. What it gives lies on the stack.
std::optional<Json> call(lua_State* L, int count, int results) {
  const int at = lua_gettop(L) - count;
  lua_pushcfunction(L, on_error);
  lua_insert(L, at);
  lua_pushnil(L);
  lua_setfield(L, LUA_REGISTRYINDEX, kFailure);
  const int status = lua_pcall(L, count, results, at);
  lua_remove(L, at);
  end_if_full(L, status);
  if (status == LUA_OK) return std::nullopt;
  lua_getfield(L, LUA_REGISTRYINDEX, kFailure);
  if (lua_type(L, -1) == LUA_TSTRING) return Json::parse(lua_tostring(L, -1));
  return failure(session_of(L), "an error was raised within the handling of an error", false);
}

/// Pushes the chunk with an environment of its own. Nothing: it is there; else what is wrong with its syntax.
std::optional<Json> load(lua_State* L, const std::string& code, const std::string& name) {
  const std::string chunk = "=" + name;
  const int status = luaL_loadbufferx(L, code.data(), code.size(), chunk.c_str(), "t");
  end_if_full(L, status);
  if (status != LUA_OK) {
    std::string message = luaL_tolstring(L, -1, nullptr);
    if (code.starts_with(LUA_SIGNATURE[0])) message = name + ": is no text of Lua: compiled code is not run";
    lua_pop(L, 2);
    return failure(session_of(L), message, false);
  }
  push_environment(L);
  lua_setupvalue(L, -2, 1);
  return std::nullopt;
}

/// Runs a chunk and pushes its function `main`, which may be a local of the chunk. Nothing: it is there.
std::optional<Json> define(lua_State* L, const std::string& code, const std::string& name, const std::string& main) {
  if (auto failed = load(L, code + "\nreturn " + main, name)) {
    // The code may end with a `return` of its own.
    if (auto really = load(L, code, name)) return really;
  }
  lua_getupvalue(L, -1, 1);
  lua_insert(L, -2);
  if (auto failed = call(L, 0, 1)) return failed;
  if (lua_type(L, -1) != LUA_TFUNCTION) {
    lua_pop(L, 1);
    lua_getfield(L, -1, main.c_str());
  }
  lua_remove(L, -2);
  if (lua_type(L, -1) == LUA_TFUNCTION) return std::nullopt;
  return failure(session_of(L), fmt::format("{}: it defines no function {}", name, main), false);
}

/// define() of an entry of the library, under a count of its own: whoever's code is run with it pays nothing for it.
std::optional<Json> define_entry(lua_State* L, const std::string& name, const std::string& code) {
  Session& session = session_of(L);
  const int64_t left = std::exchange(session.instructions, kLoadInstructions);
  session.loading = name;
  std::optional<Json> failed = define(L, code, name, name);
  session.loading.clear();
  session.instructions = left;
  return failed;
}

/// Upvalues: the name, and why there is no such function.
int call_missing(lua_State* L) {
  return luaL_error(L, "%s cannot be used: %s", lua_tostring(L, lua_upvalueindex(1)),
                    lua_tostring(L, lua_upvalueindex(2)));
}

void push_missing(lua_State* L, const std::string& name, const std::string& why) {
  lua_pushlstring(L, name.data(), name.size());
  lua_pushlstring(L, why.data(), why.size());
  lua_pushcclosure(L, call_missing, 2);
}

void define_in_library(lua_State* L, const Json& entry) {
  const auto name = entry.at("name").get<std::string>();
  push_library(L);
  const bool is_taken = is_global(L, name.c_str()) || lua_getfield(L, -1, name.c_str()) != LUA_TNIL;
  lua_settop(L, 0);
  if (is_taken) return;
  if (entry.contains("missing")) {
    push_missing(L, name, entry.at("missing").get<std::string>());
  } else if (const auto failed = define_entry(L, name, entry.at("code").get<std::string>())) {
    lua_settop(L, 0);
    push_missing(L, name, failed->at("failed").value("message", ""));
  }
  push_library(L);
  lua_insert(L, -2);
  lua_setfield(L, -2, name.c_str());
  lua_settop(L, 0);
}

void set_player(lua_State* L) {
  push_player(L);
  lua_setglobal(L, kPlayer);  // for functions that are not given it
}

/// What is wrong with the name of the function that does a task; empty: nothing. Skills are kept by it, in files too.
std::string name_refused(lua_State* L, const std::string& name) {
  if (name.size() > kNameBytes)
    return fmt::format("the name of the function {}... has {} characters: {} at most", name.substr(0, 20), name.size(),
                       kNameBytes);
  if (name == kPlayer) return fmt::format("{} is the name of the player: give your function another name", kPlayer);
  if (is_global(L, name.c_str())) return name + " is there already: give your function another name";
  return "";
}

}  // namespace

Json parse_program(Session& session, const std::string& code) {
  lua_State* const L = session.running.front();
  if (const auto failed = load(L, code, std::string(kCodeName))) return *failed;
  const ScannedCode found = scan_code(code);
  if (found.main.empty()) {
    return failure(session,
                   "the code defines no function at its top that takes the player alone: write function NAME(bot) ... "
                   "end",
                   false);
  }
  set_player(L);
  const std::string refused = name_refused(L, found.main);
  if (!refused.empty()) return failure(session, refused, false);
  return {{"parsed", {{"main", found.main}, {"functions", found.functions}, {"calls", found.calls}}}};
}

Json load_program(Session& session, const Json& entry) {
  lua_State* const L = session.running.front();
  const auto name = entry.at("name").get<std::string>();
  set_player(L);
  if (const std::string refused = name_refused(L, name); !refused.empty()) return failure(session, refused, false);
  // Any other error may be for want of the library that it is to be loaded with.
  define_entry(L, name, entry.at("code").get<std::string>());
  return {{"loaded", true}};
}

Json run_program(Session& session, const Json& request) {
  lua_State* const L = session.running.front();
  set_player(L);
  for (const Json& entry : request.at("library")) define_in_library(L, entry);
  const auto main = request.at("main").get<std::string>();
  if (auto failed = define(L, request.at("code").get<std::string>(), std::string(kCodeName), main)) return *failed;
  session.may_act = true;
  lua_getglobal(L, kPlayer);
  if (auto failed = call(L, 1, 0)) return *failed;
  return {{"done", true}};
}

}  // namespace caravel::sandbox::lua
