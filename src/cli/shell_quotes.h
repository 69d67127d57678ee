#pragma once

#include <string>
#include <string_view>

namespace caravel::cli {

/// In single quotes, as sh, bash and zsh read them.
inline std::string in_shell_quotes(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace caravel::cli
