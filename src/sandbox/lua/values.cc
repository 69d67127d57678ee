#include "sandbox/lua/values.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/written_number.h"

namespace caravel::sandbox::lua {
namespace {

constexpr int kMostNested = 16;
constexpr int64_t kMostBytes = 256 << 10;

class Reader {
 public:
  explicit Reader(lua_State* L) : L_(L) {}

  Json read(int index, int depth) {
    index = lua_absindex(L_, index);
    spend(8);
    switch (lua_type(L_, index)) {
      case LUA_TNIL:
        return nullptr;
      case LUA_TBOOLEAN:
        return lua_toboolean(L_, index) != 0;
      case LUA_TNUMBER:
        return number(index);
      case LUA_TSTRING:
        return string(index);
      case LUA_TTABLE:
        if (depth == kMostNested) luaL_error(L_, "a table is nested in tables more than %d deep", kMostNested);
        luaL_checkstack(L_, 4, "a table is nested too deep");
        return table(index, depth + 1);
      case LUA_TUSERDATA:
        luaL_error(L_, "the world takes no player: bot:NAME(...) gives it by itself");
        return nullptr;
      default:
        luaL_error(L_, "the world takes no %s", luaL_typename(L_, index));
        return nullptr;
    }
  }

 private:
  Json number(int index) {
    if (lua_isinteger(L_, index) != 0) return lua_tointeger(L_, index);
    const double value = lua_tonumber(L_, index);
    if (std::isnan(value)) luaL_error(L_, "the world takes no number that is nan");  // whatever its sign
    if (std::isinf(value)) luaL_error(L_, "the world takes no number that is %f", value);
    return value;
  }

  /// The value is a string already: this converts nothing in its place.
  std::string string(int index) {
    size_t length = 0;
    const char* const bytes = lua_tolstring(L_, index, &length);
    spend(static_cast<int64_t>(length));
    return {bytes, length};
  }

  Json table(int index, int depth) {
    std::vector<std::pair<std::string, Json>> fields;
    std::vector<std::pair<lua_Integer, Json>> elements;
    for (lua_pushnil(L_); lua_next(L_, index) != 0; lua_pop(L_, 1)) {
      if (lua_type(L_, -2) == LUA_TSTRING) {
        fields.emplace_back(string(-2), read(-1, depth));
      } else if (lua_isinteger(L_, -2) != 0) {
        elements.emplace_back(lua_tointeger(L_, -2), read(-1, depth));
      } else {
        luaL_error(L_, "the world takes no table with a key that is a %s", luaL_typename(L_, -2));
      }
    }
    if (!fields.empty() && !elements.empty()) luaL_error(L_, "the world takes a list or named fields, not both in one");
    const auto by_key = [](const auto& a, const auto& b) { return a.first < b.first; };
    if (!fields.empty()) {
      std::ranges::sort(fields, by_key);
      Json::object_t object;
      for (auto& [key, value] : fields) object.emplace_back(std::move(key), std::move(value));
      return object;
    }
    std::ranges::sort(elements, by_key);
    Json::array_t array;
    for (auto& [number, value] : elements) {
      array.push_back(std::move(value));
      if (number != static_cast<lua_Integer>(array.size())) luaL_error(L_, "the world takes no list with gaps");
    }
    return array;
  }

  void spend(int64_t bytes) {
    bytes_ += bytes;
    if (bytes_ > kMostBytes)
      luaL_error(L_, "the world takes at most %d KiB at once", static_cast<int>(kMostBytes >> 10));
  }

  lua_State* const L_;
  int64_t bytes_ = 0;
};

}  // namespace

Json json_at(lua_State* L, int index) { return Reader(L).read(index, 0); }

void push_json(lua_State* L, const Json& json) {
  luaL_checkstack(L, 4, "an answer is nested too deep");
  if (json.is_boolean()) {
    lua_pushboolean(L, json.get<bool>() ? 1 : 0);
  } else if (json.is_number_integer()) {
    lua_pushinteger(L, json.get<lua_Integer>());
  } else if (json.is_number()) {
    lua_pushnumber(L, json.get<double>());
  } else if (is_written_number(json)) {
    lua_pushnumber(L, nearest_double(json));
  } else if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    lua_pushlstring(L, text.data(), text.size());
  } else if (json.is_array()) {
    lua_createtable(L, static_cast<int>(json.size()), 0);
    lua_Integer number = 0;
    for (const Json& element : json) {
      push_json(L, element);
      lua_rawseti(L, -2, ++number);
    }
  } else if (json.is_object()) {
    lua_createtable(L, 0, static_cast<int>(json.size()));
    for (const auto& [key, value] : json.get_ref<const Json::object_t&>()) {
      lua_pushlstring(L, key.data(), key.size());
      push_json(L, value);
      lua_rawset(L, -3);
    }
  } else {
    lua_pushnil(L);
  }
}

}  // namespace caravel::sandbox::lua
