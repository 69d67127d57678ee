#include "grammar/code_points.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/utf8.h"

namespace caravel::grammar {
namespace {

constexpr std::array<char32_t, 4> kLastOfLength = {0x7F, 0x7FF, 0xFFFF, kLastChar};

int encode(char32_t c, std::array<uint8_t, 4>& out) {
  std::string bytes;
  append_utf8(c, bytes);
  for (size_t i = 0; i < out.size() && i < bytes.size(); ++i) out[i] = static_cast<uint8_t>(bytes[i]);
  return static_cast<int>(bytes.size());
}

/// first and last have the same length; splits where a trailing byte does not run through all of its values.
void split(char32_t first, char32_t last, std::vector<ByteRanges>& out) {
  for (int i = 1; i < 4; ++i) {
    const char32_t mask = (char32_t{1} << (6 * i)) - 1;
    if ((first & ~mask) == (last & ~mask)) break;
    if ((first & mask) != 0) {
      split(first, first | mask, out);
      split((first | mask) + 1, last, out);
      return;
    }
    if ((last & mask) != mask) {
      split(first, (last & ~mask) - 1, out);
      split(last & ~mask, last, out);
      return;
    }
  }
  ByteRanges ranges;
  ranges.length = encode(first, ranges.first);
  encode(last, ranges.last);
  out.push_back(ranges);
}

}  // namespace

std::vector<ByteRanges> utf8_ranges(char32_t first, char32_t last) {
  std::vector<ByteRanges> out;
  const auto add = [&](char32_t low, char32_t high) {
    for (const char32_t end : kLastOfLength) {
      if (low > std::min(high, end)) continue;
      split(low, std::min(high, end), out);
      low = end + 1;
    }
  };
  if (first < 0xD800) add(first, std::min<char32_t>(last, 0xD7FF));
  if (last > 0xDFFF) add(std::max<char32_t>(first, 0xE000), std::min(last, kLastChar));
  return out;
}

char32_t checked_char(char32_t value) {
  if (value > kLastChar || (value >= 0xD800 && value <= 0xDFFF)) {
    throw fail<InvalidArgument>("U+{:04X} is no character", static_cast<uint32_t>(value));
  }
  return value;
}

char32_t next_char(std::string_view text, size_t& place) {
  const Utf8Sequence s = next_utf8(text.substr(place));
  if (s.kind != Utf8Sequence::kCharacter) throw fail<InvalidArgument>("is not UTF-8 at byte {}", place);
  place += s.length;
  return s.code_point;
}

}  // namespace caravel::grammar
