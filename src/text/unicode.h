#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/tokenizer_data.h"

namespace caravel::text {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// Length in bytes of a character by its first byte, which must be one of well-formed UTF-8.
constexpr size_t char_length(char lead) {
  const auto byte = static_cast<uint8_t>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/// Appends `bytes` to `out`; every maximal subpart of an ill-formed sequence becomes one U+FFFD (Unicode 15,
/// section 3.9, as Python's errors="replace"). A well-formed beginning of a character at the very end is not appended.
/// Returns how many bytes at the end wait for more: 0..3.
size_t append_complete_utf8(std::string_view bytes, std::string& out);

bool is_valid_utf8(std::string_view text);

/// The character at `text[0]`; `text` is not empty and well-formed.
char32_t first_char(std::string_view text);
/// The last character; `text` is not empty and well-formed.
char32_t last_char(std::string_view text);

/// The property White_Space.
bool is_white_space(char32_t c);
/// Letters, marks, numbers and connector punctuation: what \w is in a regular expression.
bool is_word_char(char32_t c);

/// `text` is well-formed. O(n log n) whatever the text, also for long runs of combining marks.
std::string normalize(std::string_view text, TokenizerData::Normalization form);

}  // namespace caravel::text
