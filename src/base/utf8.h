#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace caravel {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// Length in bytes of a character by its first byte, which must be one of well-formed UTF-8.
constexpr size_t char_length(char lead) {
  const auto byte = static_cast<uint8_t>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/// Whether a byte of well-formed UTF-8 belongs to the character that began before it.
constexpr bool is_continuation(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }

/// How many bytes at the front of the text are ASCII.
size_t ascii_prefix(std::string_view text);

/// What stands at the front of a text.
struct Utf8Sequence {
  enum Kind : uint8_t {
    kCharacter,
    kBroken,  // the maximal subpart of an ill-formed sequence
    kCut,     // the well-formed beginning of a character, which the end of the text cuts
  };
  Kind kind;
  size_t length;        // bytes, at least 1
  char32_t code_point;  // where it is a character, else 0
};

/// `text` is not empty. Table 3-7 of the Unicode standard: no surrogates, no overlong forms, nothing above U+10FFFF.
Utf8Sequence next_utf8(std::string_view text);

bool is_valid_utf8(std::string_view text);

/// Appends `bytes` to `out`; every maximal subpart of an ill-formed sequence becomes one U+FFFD (Unicode 15,
/// section 3.9, as Python's errors="replace"). A well-formed beginning of a character at the very end is not appended.
/// Returns how many bytes at the end wait for more: 0..3.
size_t append_complete_utf8(std::string_view bytes, std::string& out);

/// c: at most U+10FFFF.
void append_utf8(char32_t c, std::string& out);

}  // namespace caravel
