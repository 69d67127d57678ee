#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace caravel::sandbox::lua {

/// As voyager::ParsedCode says.
struct ScannedCode {
  std::string main;  // empty: there is none
  std::vector<std::string> functions;
  std::vector<std::string> calls;
};

/// Reads Lua without running it; `code` should be free of errors of syntax. The one parameter of `main` is called
/// "bot".
ScannedCode scan_code(std::string_view code);

}  // namespace caravel::sandbox::lua
