#pragma once

#include <lua.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::sandbox::lua {

/// What the chunk of the program's own code is called; those of the library have their entries' names.
inline constexpr std::string_view kCodeName = "code";

/// A function of Lua that was running.
struct Frame {
  std::string where;  // the chunk
  int line = 0;
  std::string function;  // its name; empty: it has none, or is the chunk itself

  bool is_code() const { return where == kCodeName; }
};

/// Innermost first, of the last of `running` and then of those that wait for it; the innermost hundred of each.
std::vector<Frame> frames_of(const std::vector<lua_State*>& running);

/// "code:12: in mineOak", a line each.
std::string trace_text(const std::vector<Frame>& frames);

/// What Lua writes in front of a message: "code:12: ".
struct Place {
  std::string_view where;
  int line = 0;
  size_t length = 0;  // of that text; 0: the message has none
};
Place place_in(std::string_view message);

}  // namespace caravel::sandbox::lua
