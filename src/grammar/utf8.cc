#include "grammar/utf8.h"

#include <algorithm>

#include "base/error.h"

namespace caravel::grammar {
namespace {

constexpr std::array<char32_t, 4> kLastOfLength = {0x7F, 0x7FF, 0xFFFF, kLastChar};

int length_of(char32_t c) { return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; }

int encode(char32_t c, uint8_t* out) {
  const int length = length_of(c);
  if (length == 1) {
    out[0] = static_cast<uint8_t>(c);
    return 1;
  }
  for (int i = length - 1; i > 0; --i, c >>= 6) out[i] = static_cast<uint8_t>(0x80 | (c & 0x3F));
  constexpr std::array<uint8_t, 5> kLead = {0, 0, 0xC0, 0xE0, 0xF0};
  out[0] = static_cast<uint8_t>(kLead[static_cast<size_t>(length)] | c);
  return length;
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
  ranges.length = encode(first, ranges.first.data());
  encode(last, ranges.last.data());
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

void append_utf8(char32_t c, std::string& out) {
  std::array<uint8_t, 4> buffer;
  const int length = encode(c, buffer.data());
  out.append(reinterpret_cast<const char*>(buffer.data()), static_cast<size_t>(length));
}

char32_t checked_char(char32_t value) {
  if (value > kLastChar || (value >= 0xD800 && value <= 0xDFFF)) {
    throw fail<InvalidArgument>("U+{:04X} is no character", static_cast<uint32_t>(value));
  }
  return value;
}

char32_t next_char(std::string_view text, size_t& place) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(place);
  const size_t length = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 0;
  char32_t c = length < 2 ? lead : lead & (0xFFU >> (length + 1));
  bool good = length > 0 && place + length <= text.size();
  for (size_t i = 1; good && i < length; ++i) {
    good = (byte(place + i) & 0xC0) == 0x80;
    c = c << 6 | (byte(place + i) & 0x3F);
  }
  if (!good || c > kLastChar || (c >= 0xD800 && c <= 0xDFFF) || static_cast<size_t>(length_of(c)) != length) {
    throw fail<InvalidArgument>("is not UTF-8 at byte {}", place);
  }
  place += length;
  return c;
}

}  // namespace caravel::grammar
