#include "format/printable.h"

#include <cstdint>

namespace caravel::format {
namespace {

constexpr size_t kMostBytes = 120;

// Bytes of the well-formed sequence at the front of `text`; 0 where there is none. Ranges: Unicode, table 3-7.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return text.empty() ? 0 : 1;
  if (lead < 0xC2 || lead > 0xF4 || !follows(1)) return 0;
  if (lead < 0xE0) return 2;
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (!follows(2)) return 0;
  if (lead < 0xF0) return 3;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return follows(3) ? 4 : 0;
}

}  // namespace

std::string printable(std::string_view name) {
  std::string result;
  while (!name.empty()) {
    if (result.size() >= kMostBytes) return result + "...";
    const size_t length = sequence_length(name);
    const auto lead = static_cast<uint8_t>(name[0]);
    if (length == 0 || lead < 0x20 || lead == 0x7F) {
      result += '?';
    } else {
      result += name.substr(0, length);
    }
    name.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace caravel::format
