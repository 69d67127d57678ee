#pragma once

#include <string_view>
#include <vector>

namespace caravel::sandbox::lua {

struct Token {
  enum class Kind : uint8_t { kName, kKeyword, kString, kNumber, kSign };
  Kind kind = Kind::kSign;
  std::string_view text;  // of the code; of a string, its first byte
};

/// Of Lua 5.4 (its manual, section 3.1), without comments; signs one byte each, but
/// points that stand together are one. Whatever the bytes are, it ends.
std::vector<Token> tokens_of(std::string_view code);

}  // namespace caravel::sandbox::lua
