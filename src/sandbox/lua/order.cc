#include "sandbox/lua/order.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "sandbox/lua/session.h"

namespace caravel::sandbox::lua {
namespace {

/// The text belongs to the table that the key is of.
struct Key {
  enum class Kind : uint8_t { kNumber, kText, kBoolean };
  Kind kind = Kind::kNumber;
  bool is_integer = false;
  lua_Integer integer = 0;  // also 0 and 1, of a boolean
  lua_Number number = 0;
  std::string_view text;

  bool operator<(const Key& other) const {
    if (kind != other.kind) return kind < other.kind;
    if (kind == Kind::kText) return text < other.text;
    if (is_integer && other.is_integer) return integer < other.integer;
    return wide() < other.wide();  // holds 64 bits, and a double
  }
  long double wide() const { return is_integer ? static_cast<long double>(integer) : number; }
};

Key key_at(lua_State* L, int index) {
  Key key;
  switch (lua_type(L, index)) {
    case LUA_TNUMBER:
      key.is_integer = lua_isinteger(L, index) != 0;
      if (key.is_integer) {
        key.integer = lua_tointeger(L, index);
      } else {
        key.number = lua_tonumber(L, index);
      }
      return key;
    case LUA_TSTRING: {
      size_t length = 0;
      const char* const bytes = lua_tolstring(L, index, &length);
      key.kind = Key::Kind::kText;
      key.text = {bytes, length};
      return key;
    }
    case LUA_TBOOLEAN:
      key.kind = Key::Kind::kBoolean;
      key.is_integer = true;
      key.integer = lua_toboolean(L, index);
      return key;
    default:
      luaL_error(L, "pairs and next go in the order of keys, and a %s as a key has none: keep a list as well",
                 luaL_typename(L, index));
      return key;
  }
}

void push_key(lua_State* L, const Key& key) {
  if (key.kind == Key::Kind::kText) {
    lua_pushlstring(L, key.text.data(), key.text.size());
  } else if (key.kind == Key::Kind::kBoolean) {
    lua_pushboolean(L, static_cast<int>(key.integer));
  } else if (key.is_integer) {
    lua_pushinteger(L, key.integer);
  } else {
    lua_pushnumber(L, key.number);
  }
}

/// price: of each, in instructions, paid before it is looked at: it may raise an error.
template <typename Visit>
void each_key(lua_State* L, int table, int64_t price, Visit&& visit) {
  for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
    charge(L, price);
    visit(key_at(L, -2));
  }
}

/// Upvalues: the keys in order, and how many of them were given out. What was taken out of the table meanwhile is left
/// out.
int next_of_snapshot(lua_State* L) {
  lua_Integer at = lua_tointeger(L, lua_upvalueindex(2));
  while (true) {
    if (lua_rawgeti(L, lua_upvalueindex(1), ++at) == LUA_TNIL) return 1;
    lua_pushvalue(L, -1);
    if (lua_rawget(L, 1) != LUA_TNIL) break;
    lua_pop(L, 2);
  }
  lua_pushinteger(L, at);
  lua_replace(L, lua_upvalueindex(2));
  return 2;
}

}  // namespace

int ordered_pairs(lua_State* L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_call(L, 1, 3);
    return 3;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  std::vector<Key> keys;
  each_key(L, 1, 4, [&](const Key& key) { keys.push_back(key); });
  std::ranges::sort(keys, std::less{});
  lua_createtable(L, static_cast<int>(keys.size()), 0);
  for (size_t i = 0; i < keys.size(); ++i) {
    push_key(L, keys[i]);
    lua_rawseti(L, -2, static_cast<lua_Integer>(i) + 1);
  }
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_of_snapshot, 2);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

int ordered_next(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  std::optional<Key> after;
  if (!lua_isnil(L, 2)) after = key_at(L, 2);
  std::optional<Key> least;
  each_key(L, 1, 1, [&](const Key& key) {
    if ((!after || *after < key) && (!least || key < *least)) least = key;
  });
  if (!least) {
    lua_pushnil(L);
    return 1;
  }
  push_key(L, *least);
  lua_pushvalue(L, -1);
  lua_rawget(L, 1);
  return 2;
}

}  // namespace caravel::sandbox::lua
