#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace caravel::grammar {

inline constexpr char32_t kLastChar = 0x10FFFF;

/// A sequence of byte ranges, each byte drawn from its own: all of their combinations are UTF-8.
struct ByteRanges {
  int length = 0;
  std::array<uint8_t, 4> first = {};
  std::array<uint8_t, 4> last = {};
};

/// The UTF-8 of the code points [first, last] but surrogates, as few sequences of ranges.
std::vector<ByteRanges> utf8_ranges(char32_t first, char32_t last);

/// An escape's code point as it is. Throws InvalidArgument for a surrogate, and for what is above kLastChar.
char32_t checked_char(char32_t value);

/// The character at `place`, which moves behind it. Throws InvalidArgument for what is not well-formed UTF-8
/// (surrogates and overlong forms too). `place` is inside `text`.
char32_t next_char(std::string_view text, size_t& place);

}  // namespace caravel::grammar
