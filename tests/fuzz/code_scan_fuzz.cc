// Code of Lua that may be none: its tokens lie in it one behind the other, and what the scanner finds is what it says:
// names of functions and calls, each once, none both.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sandbox/lua/code_scan.h"
#include "sandbox/lua/tokens.h"

namespace {

namespace lua = caravel::sandbox::lua;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_tokens(std::string_view code) {
  const char* end = code.data();
  for (const lua::Token& token : lua::tokens_of(code)) {
    check(!token.text.empty() && token.text.data() >= end);
    end = token.text.data() + token.text.size();
    check(end <= code.data() + code.size());
  }
}

void check_scan(std::string_view code) {
  const lua::ScannedCode found = lua::scan_code(code);
  const auto is_defined = [&](const std::string& name) {
    return std::ranges::find(found.functions, name) != found.functions.end();
  };
  check(found.main.empty() || is_defined(found.main));
  check(std::ranges::adjacent_find(found.calls, std::ranges::greater_equal()) == found.calls.end());
  check(std::ranges::none_of(found.calls, is_defined));
  auto names = found.functions;
  std::ranges::sort(names);
  check(std::ranges::adjacent_find(names) == names.end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view code(reinterpret_cast<const char*>(data), size);
  check_tokens(code);
  check_scan(code);
  return 0;
}
