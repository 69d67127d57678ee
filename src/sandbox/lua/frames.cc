#include "sandbox/lua/frames.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "base/numbers.h"

namespace caravel::sandbox::lua {
namespace {

constexpr int kMostFrames = 100;  // looked at: finding the n-th takes n steps
constexpr size_t kFewLines = 12;  // of a trace

bool is_name_byte(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::vector<Frame> frames_of(const std::vector<lua_State*>& running) {
  std::vector<Frame> frames;
  for (lua_State* const L : running | std::views::reverse) {
    lua_Debug info;
    for (int level = 0; level < kMostFrames && lua_getstack(L, level, &info) != 0; ++level) {
      lua_getinfo(L, "nSl", &info);
      if (info.currentline < 0) continue;  // a function of C
      const bool has_name = info.name != nullptr && std::string_view(info.what) != "main";
      frames.push_back({info.short_src, info.currentline, has_name ? info.name : ""});
    }
  }
  return frames;
}

std::string trace_text(const std::vector<Frame>& frames) {
  std::string text;
  for (size_t i = 0; i < std::min(frames.size(), kFewLines); ++i) {
    if (i > 0) text += '\n';
    text += fmt::format("{}:{}", frames[i].where, frames[i].line);
    if (!frames[i].function.empty()) text += ": in " + frames[i].function;
  }
  if (frames.size() > kFewLines) text += "\n...";
  return text;
}

Place place_in(std::string_view message) {
  const size_t first = message.find(':');
  if (first == std::string_view::npos || first == 0) return {};
  const std::string_view where = message.substr(0, first);
  if (!std::ranges::all_of(where, is_name_byte)) return {};
  const size_t second = message.find(": ", first + 1);
  if (second == std::string_view::npos) return {};
  const auto line = parse_number<int>(message.substr(first + 1, second - first - 1));
  if (!line || *line <= 0) return {};
  return {where, *line, second + 2};
}

}  // namespace caravel::sandbox::lua
